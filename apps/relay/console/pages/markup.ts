import { html as template } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';

/** HTML. A text alone is none: put into a template, it is escaped. */
export type Markup = HtmlEscapedString;

/** What a template takes: texts are escaped, markup is kept, lists are joined; null, undefined and booleans leave nothing. */
type Value = Markup | string | number | boolean | null | undefined | readonly Value[];

/** Writes HTML with every value in it escaped: html`<p>${title}</p>`. Attributes need their quotes. */
export function html(strings: TemplateStringsArray, ...values: Value[]): Markup {
  // Only a value that is a promise makes a promise of it.
  return template(strings, ...values) as Markup;
}

/** No markup at all. */
export const nothing = html``;
