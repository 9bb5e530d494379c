import { createHash } from 'node:crypto';
import type { Sql } from '@segue/database/connection.ts';
import { ActionInvalid, ActionRefused, act, type Refusal } from '@segue/outbox/operate/act.ts';
import { countFor } from '@segue/outbox/operate/count.ts';
import { longestAlone, longestRead } from '@segue/outbox/operate/cut.ts';
import { find } from '@segue/outbox/operate/find.ts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Visitor } from '../access/visitor.ts';
import type { Watch } from '../live/watch.ts';
import { icon } from '../pages/icons.ts';
import { isolated } from '../pages/isolated.ts';
import { html, type Markup, nothing } from '../pages/markup.ts';
import { problemPage } from '../pages/problem.ts';
import { filterInWords, outboxFilter, requestsPath } from '../pages/requestFilter.ts';
import { requestTable } from '../pages/requests.ts';
import { field, wholeNumber } from '../pages/requestValues.ts';
import { boundedCount, count, plural, statusWord } from '../pages/words.ts';
import { type Asked, actionOf, parametersOf, readAsked, selectionOf } from './asked.ts';
import type { Jobs } from './jobs.ts';

const shownRows = 10;
/** A count that stops there takes some 10 ms, whatever waits. */
const countedRows = 10_000;

const words = {
  requeue: { verb: 'Requeue', effect: 'They are sent again, and their attempts are counted anew.' },
  discard: {
    verb: 'Discard',
    effect: 'They are put away as skipped and never sent. A new request would send the recording.',
  },
  reschedule: { verb: 'Reschedule', effect: 'They are attempted next at the moment that you choose.' },
} as const;

/** Acting on requests: a page that says what would happen to how many, and the act itself. */
export function serveActing(
  server: FastifyInstance,
  { sql, watch, jobs }: { sql: Sql; watch: Watch; jobs: Jobs },
): void {
  server.get('/act', { config: { right: 'act' } }, async (request, reply) => {
    const asked = readAsked(request.query);
    if (asked === null) return await nothingChosen(request, reply);
    return await answering(request, reply, async () => {
      const body = await confirmation(sql, asked);
      return reply.sendPage({ title: words[asked.kind].verb, section: 'requests' }, body);
    });
  });

  server.post('/act', { config: { right: 'act' } }, async (request, reply) => {
    const asked = readAsked(request.body);
    const reason = field(request.body, 'why');
    if (asked === null) return await nothingChosen(request, reply);
    return await answering(request, reply, async () => {
      if (reason === undefined) throw new ActionInvalid('Say why, for those who look later.');
      const seen = field(request.body, 'seen');
      if (asked.ids.length > 0 && seen !== (await statusesOf(sql, asked.ids)).digest) {
        throw new ActionRefused('The requests have moved on since you looked.', []);
      }
      const { actor } = request.visitor as Visitor;
      const expected = wholeNumber(request.body, 'expected', { min: 0, max: 1e9 });
      const job = await jobs.start(
        actionOf(asked),
        { selection: selectionOf(asked), reason, actor },
        expected,
      );
      watch.outdated();
      return reply.redirect(`/console/actions/${job.actionId}`, 303);
    });
  });

  /** Does the work, or says why nothing was changed. */
  async function answering(
    request: FastifyRequest,
    reply: FastifyReply,
    work: () => Promise<FastifyReply>,
  ): Promise<FastifyReply> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ActionInvalid) return await invalid(request, reply, error.message);
      if (!(error instanceof ActionRefused)) throw error;
      watch.outdated();
      const ids = readAsked(request.method === 'GET' ? request.query : request.body)?.ids ?? [];
      const details = await whatTheyAreNow(sql, ids, error.refusals);
      const text = `${error.message.replace(/^nothing was changed: /, '')} Nothing was changed.`;
      const problem = { status: 409, title: 'They have moved on', text, details, visitor: request.visitor };
      return await reply.code(409).type('text/html; charset=utf-8').send(problemPage(problem));
    }
  }
}

async function nothingChosen(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  return await invalid(
    request,
    reply,
    'No request is chosen: go back and tick some, or choose all that match.',
  );
}

async function invalid(request: FastifyRequest, reply: FastifyReply, text: string): Promise<FastifyReply> {
  const problem = { status: 400, title: 'Nothing was changed', text, visitor: request.visitor };
  return await reply.code(400).type('text/html; charset=utf-8').send(problemPage(problem));
}

async function confirmation(sql: Sql, asked: Asked): Promise<Markup> {
  const action = actionOf(asked);
  const selection = selectionOf(asked);
  const { verb, effect } = words[asked.kind];
  const isChosen = asked.ids.length > 0;
  const counted = await countFor(sql, action, selection, countedRows);
  const seen = isChosen ? await statusesOf(sql, asked.ids) : undefined;
  const refusals = isChosen
    ? (await act(sql, action, { selection, reason: 'counting', dryRun: true })).refusals
    : [];
  const statusActedOn = asked.kind === 'reschedule' ? ('pending' as const) : ('dead' as const);
  const examples = isChosen
    ? null
    : await find(sql, {
        filter: { ...outboxFilter(asked.filter, asked.at), status: asked.filter.status ?? statusActedOn },
        order: 'oldest',
        limit: shownRows,
        longestText: longestRead,
      });
  const number =
    counted.count === 0 && counted.more
      ? 'what matches'
      : `${boundedCount(counted)} ${counted.count === 1 && !counted.more ? 'request' : 'requests'}`;
  if (counted.count === 0 && !counted.more) {
    return html`<h1>${verb} nothing</h1><section class="panel"><p>${icon('warning')} None of the requests can be changed by this.</p>${refusalList(refusals)}
<p class="buttons"><a class="button" href="${requestsPath(asked.filter)}">Back to the list</a></p></section>`;
  }
  return html`<h1>${verb} ${number}?</h1>
<section class="panel"><p>${isChosen ? 'Those that you have chosen.' : html`All that match: <strong>${filterInWords(asked.filter)}</strong>.`} ${effect}${
    isChosen ? nothing : ' It is done in steps of 500, so what moves meanwhile is left out.'
  }${counted.more ? ' The count has stopped early; all that match are changed.' : nothing}</p>
${seen === undefined ? nothing : html`<ul>${seen.rows.map(({ id, isrc, title, status }) => html`<li>${statusWord(status)} <a href="/console/recordings/${encodeURIComponent(isrc)}">${isolated(title)}</a> <span class="muted small">request ${id}</span></li>`)}</ul>`}
${refusalList(refusals)}
<form method="post" action="/console/act">
${parametersOf(asked).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${seen === undefined ? nothing : html`<input type="hidden" name="seen" value="${seen.digest}">`}
${counted.more ? nothing : html`<input type="hidden" name="expected" value="${counted.count}">`}
${
  asked.kind === 'reschedule'
    ? html`<p><label for="delay">Next attempt</label><select id="delay" name="delay"><option value="now">at once</option><option value="5m">in 5 minutes</option><option value="1h">in an hour</option><option value="6h">in 6 hours</option><option value="1d">in a day</option></select></p>`
    : nothing
}
${
  asked.kind === 'requeue'
    ? html`<p><label><input type="checkbox" name="force" value="yes"> Force: send them also if they were sent lately, or are in the index</label></p>`
    : nothing
}
<p><label for="why">Why? It is recorded for those who look later.</label><textarea id="why" name="why" required maxlength="1000"></textarea></p>
<p class="buttons"><button class="primary">${verb} ${number}</button><a class="button" href="${requestsPath(asked.filter)}">Do nothing</a></p>
</form></section>
${examples === null || examples.rows.length === 0 ? nothing : html`<section class="panel"><h2>The oldest of them</h2>${requestTable(examples.rows)}</section>`}`;
}

type SeenRow = { id: number; isrc: string; title: string; status: string };

/** The requests as they are now, and a digest of their statuses: whoever confirms has seen these. */
async function statusesOf(sql: Sql, ids: number[]): Promise<{ rows: SeenRow[]; digest: string }> {
  const rows = await sql<SeenRow[]>`
    SELECT id, isrc, left(title, ${longestRead}::int) AS title, status FROM ingestion_outbox WHERE id = ANY(${ids}::bigint[]) ORDER BY id`;
  const digest = createHash('sha256')
    .update(JSON.stringify(rows.map(({ id, status }) => [id, status])))
    .digest('base64url');
  return { rows, digest };
}

async function whatTheyAreNow(sql: Sql, ids: number[], refusals: Refusal[]): Promise<Markup> {
  const { rows } = await statusesOf(sql, ids);
  const gone = ids.length - rows.length;
  return html`<h2>What they are now</h2><ul>${rows.map(
    ({ id, isrc, title, status }) =>
      html`<li>${statusWord(status)} <a href="/console/recordings/${encodeURIComponent(isrc)}">${isolated(title)}</a> <span class="muted small">request ${id}</span></li>`,
  )}</ul>${gone > 0 ? html`<p>${plural(gone, 'request')} no longer kept.</p>` : nothing}${refusalList(refusals)}`;
}

/** Why some were not changed. */
export function refusalList(refusals: readonly Refusal[]): Markup {
  if (refusals.length === 0) return nothing;
  return html`<h2>Not changed</h2><ul class="small">${refusals.map(({ why }) => html`<li>${isolated(why, longestAlone)}</li>`)}</ul>${
    refusals.length >= 100 ? html`<p class="hint">The first ${count(100)}.</p>` : nothing
  }`;
}
