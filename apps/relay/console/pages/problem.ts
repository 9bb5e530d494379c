import type { Visitor } from '../access/visitor.ts';
import { icon } from './icons.ts';
import { page } from './layout.ts';
import { html, type Markup, nothing } from './markup.ts';

export type Problem = {
  status: number;
  title: string;
  text: string;
  /** Whether signing in would help. */
  login?: boolean;
  /** What is known besides. */
  details?: Markup;
  visitor: Visitor | null;
};

/** Says what went wrong, and what to do. */
export function problemPage({ visitor, ...problem }: Problem): string {
  return page({ title: problem.title, visitor, body: problemBody(problem) });
}

/** The same, for a page that has begun. */
export function problemBody({
  status,
  title,
  text,
  login = false,
  details,
}: Omit<Problem, 'visitor'>): Markup {
  return html`<section class="panel notice">
<h1>${icon(status >= 500 ? 'failure' : 'warning')} ${title}</h1>
<p>${text}</p>
${details ?? nothing}
${login ? html`<p><a class="button" href="/console/login">Sign in</a></p>` : nothing}
</section>`;
}
