import type { Sql } from '@segue/database/connection.ts';
import { type RecordedAction, readAction, readActions } from '@segue/outbox/operate/actions.ts';
import { longestAlone } from '@segue/outbox/operate/cut.ts';
import type { FastifyInstance } from 'fastify';
import { icon } from '../pages/icons.ts';
import { isolated, isolatedText } from '../pages/isolated.ts';
import { html, type Markup, nothing } from '../pages/markup.ts';
import { problemPage } from '../pages/problem.ts';
import { wholeNumber } from '../pages/requestValues.ts';
import { count, moment, plural } from '../pages/words.ts';
import { refusalList } from './act.ts';
import type { Job, Jobs } from './jobs.ts';

const actionsOnPage = 50;
/** As long as the database takes one. */
const longestReason = 1_000;
const anyId = { min: 1, max: Number.MAX_SAFE_INTEGER - 1 };

/** The record of what people did, by psql, the command line or the console. */
export function serveRecord(server: FastifyInstance, { sql, jobs }: { sql: Sql; jobs: Jobs }): void {
  server.get('/actions', { config: { right: 'read' } }, async (request, reply) => {
    const before = wholeNumber(request.query, 'before', anyId);
    const actions = await readActions(sql, { limit: actionsOnPage + 1, before });
    const shown = actions.slice(0, actionsOnPage);
    const body = html`<div class="heading"><h1>Actions</h1><a href="/console/sending">Pause or resume sending…</a></div>
<section class="panel"><h2>What people did, the newest first; in UTC</h2>${actionTable(shown)}
<p class="pages">${before === undefined ? nothing : html`<a class="button" href="/console/actions">First page</a>`}${
      actions.length > actionsOnPage
        ? html`<a class="button" rel="next" href="/console/actions?before=${shown.at(-1)?.id ?? 0}">Next page</a>`
        : nothing
    }</p></section>`;
    return reply.sendPage({ title: 'Actions', section: 'actions' }, body);
  });

  server.get('/actions/:id', { config: { right: 'read' } }, async (request, reply) => {
    const id = wholeNumber(request.params, 'id', anyId);
    const action = id === undefined ? null : await readAction(sql, id);
    if (action === null) {
      const problem = {
        status: 404,
        title: 'No such action',
        text: 'Nothing is recorded under this number.',
      };
      return await reply
        .code(404)
        .type('text/html; charset=utf-8')
        .send(problemPage({ ...problem, visitor: request.visitor }));
    }
    const job = jobs.get(action.id);
    const body = html`<h1>${isolated(actionWord(action.action))}</h1>
<section class="panel"><h2 class="hidden">The action</h2>
<div data-progress="/console/actions/${action.id}/progress" aria-live="polite">${progressOf(action, job)}</div>
<dl class="facts"><dt>By</dt><dd>${isolated(action.actor)}</dd><dt>Why</dt><dd>${isolated(action.reason, longestReason)}</dd><dt>When</dt><dd>${moment(action.at)} UTC</dd>
<dt>Of</dt><dd class="code">${isolated(JSON.stringify(action.selection), longestReason)}</dd><dt>From</dt><dd>${isolated(action.source)}</dd></dl></section>
${
  action.requests.length === 0
    ? nothing
    : html`<section class="panel"><h2>Requests${action.rows > action.requests.length ? ', the first 20' : ''}</h2><ul>${action.requests.map(
        ({ id: changed, isrc }) =>
          html`<li>${isrc === null ? html`<span class="muted">request ${changed}, no longer kept</span>` : html`<a href="/console/recordings/${encodeURIComponent(isrc)}">${isrc}</a> <span class="muted small">request ${changed}</span>`}</li>`,
      )}</ul></section>`
}`;
    const title = isolatedText(actionWord(action.action));
    const refresh = job?.state === 'running' ? { refreshSeconds: 2 } : {};
    return reply.sendPage({ title, section: 'actions', ...refresh }, body);
  });

  server.get('/actions/:id/progress', { config: { right: 'read' } }, async (request, reply) => {
    const id = wholeNumber(request.params, 'id', anyId);
    const action = id === undefined ? null : await readAction(sql, id);
    reply.type('text/html; charset=utf-8');
    if (action === null) return await reply.code(404).send('');
    return await reply.send(String(progressOf(action, jobs.get(action.id))));
  });
}

function progressOf({ rows, action }: RecordedAction, job: Job | undefined): Markup {
  if (action === 'pause' || action === 'resume') return html`<p data-done>${icon('good')} Done.</p>`;
  const changed = action === 'release_stuck' ? plural(rows, 'slot') : plural(rows, 'request');
  if (job === undefined || job.state === 'done') {
    const refused =
      job === undefined || job.refused === 0
        ? ''
        : ` ${plural(job.refused, 'request')} had moved on and ${job.refused === 1 ? 'was' : 'were'} left as ${job.refused === 1 ? 'it was' : 'they were'}.`;
    return html`<p data-done>${icon('good')} <strong>${changed} changed.</strong>${refused}</p>${refusalList(job?.refusals ?? [])}`;
  }
  if (job.state === 'running') {
    const { expected } = job;
    const [ofAll, bar] =
      expected === undefined
        ? [nothing, html`<progress aria-label="Progress"></progress>`]
        : [
            html`, of ${count(expected)} or so`,
            html`<progress max="${Math.max(expected, rows, 1)}" value="${rows}" aria-label="Progress">${count(rows)}</progress>`,
          ];
    return html`<p>${icon('waiting')} <strong>${changed} so far</strong>${ofAll}.</p>${bar}`;
  }
  const why =
    job.state === 'stopped'
      ? 'This relay was stopped in between'
      : `It ended in between: ${isolatedText(job.failure ?? '', longestAlone)}`;
  return html`<p data-done>${icon('failure')} <strong>${changed} changed.</strong> ${why}. What was done stays done; do it once more for the others.</p>`;
}

function actionTable(actions: RecordedAction[]): Markup {
  if (actions.length === 0) return html`<p class="empty">Nobody has done anything.</p>`;
  return html`<div class="scroll"><table class="stack"><thead><tr><th scope="col">Action</th><th scope="col" class="number">Rows</th><th scope="col">Why</th><th scope="col">By</th><th scope="col">When</th><th scope="col">From</th></tr></thead>
<tbody>${actions.map(
    ({ id, action, rows, reason, actor, at, source }) =>
      html`<tr><th scope="row"><a href="/console/actions/${id}">${isolated(actionWord(action))}</a></th><td class="number" data-label="Rows">${count(rows)}</td><td data-label="Why">${isolated(reason, longestAlone)}</td><td data-label="By">${isolated(actor)}</td><td class="fixed" data-label="When">${moment(at)}</td><td data-label="From" class="muted">${isolated(source)}</td></tr>`,
  )}</tbody></table></div>`;
}

function actionWord(action: string): string {
  const words = action.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
