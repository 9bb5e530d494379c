import { cut, longestInLists } from '@segue/outbox/operate/cut.ts';
import { html, type Markup } from './markup.ts';

/**
 * A text from outside: a title, a reason, a name. Its signs of direction (a U+202E, for example, that mirrors what comes
 * after it) reach no further than its own end, and it is cut where it is long.
 */
export function isolated(text: string, length = longestInLists): Markup {
  return html`<bdi>${contained(text, length)}</bdi>`;
}

/**
 * The same where no markup is possible: in a sentence that is made as a text, a `<title>`, an attribute. Most texts turn
 * nothing around, and stay as they are for who copies or searches the sentence.
 */
export function isolatedText(text: string, length = longestInLists): string {
  const shown = contained(text, length);
  return turning.test(shown) ? `\u2068${shown}\u2069` : shown;
}

/** Signs of direction, and the blocks of scripts that are written from right to left. */
const turning =
  /[\p{Bidi_Control}\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * The text without characters that would end its isolation early (U+2069, and those that end a paragraph) or start one
 * that it does not end (U+2066 to U+2068). A browser isolates `<bdi>` by the same characters, so it needs this, too.
 */
function contained(text: string, length: number): string {
  return cut(text, length)
    .replace(/[\u2066-\u2069]/g, '')
    .replace(/[\p{Cc}\u2029]/gu, ' ');
}
