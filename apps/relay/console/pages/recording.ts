import type { Sql } from '@segue/database/connection.ts';
import { type RecordingStory, readRecording } from '@segue/outbox/operate/recording.ts';
import type { FastifyInstance } from 'fastify';
import type { Visitor } from '../access/visitor.ts';
import type { Watch } from '../live/watch.ts';
import { type IconName, icon } from './icons.ts';
import { page } from './layout.ts';
import { html, type Markup, nothing } from './markup.ts';
import { statePart } from './parts.ts';
import { problemPage } from './problem.ts';
import { count, moment, statusWord } from './words.ts';

/** The page of a recording: its whole story, as a timeline. */
export function serveRecording(server: FastifyInstance, { sql, watch }: { sql: Sql; watch: Watch }): void {
  server.get<{ Params: { isrc: string } }>(
    '/recordings/:isrc',
    { config: { right: 'read' } },
    async (request, reply) => {
      const visitor = request.visitor as Visitor;
      const isrc = request.params.isrc.slice(0, 100);
      const [snapshot, story] = await Promise.all([watch.current(), readRecording(sql, isrc)]);
      reply.type('text/html; charset=utf-8');
      if (story === null) {
        const text = `Nothing is known of “${isrc}”: it was never requested, or is no ISRC.`;
        return await reply
          .code(404)
          .send(problemPage({ status: 404, title: 'No such recording', text, visitor }));
      }
      const state = { name: 'state' as const, markup: statePart(snapshot) };
      const title = story.title ?? story.isrc;
      return await reply.send(
        page({ title, section: 'requests', visitor, state, body: bodyOf(story, visitor) }),
      );
    },
  );
}

function bodyOf(story: RecordingStory, visitor: Visitor): Markup {
  const { isrc, title, artist, album, state, slot, heldByHost, generation, lastEventId, deadReason } = story;
  return html`<h1>${title ?? 'A recording that no request is kept of'}</h1>
<section class="panel"><h2 class="hidden">What is known</h2>
<p>${statusWord(state)}${deadReason === null ? nothing : html`: ${deadReason}`}</p>
<dl class="facts">
<dt>ISRC</dt><dd class="code">${isrc}</dd>
${artist === null ? nothing : html`<dt>Artist</dt><dd>${artist}</dd>`}
${album === null ? nothing : html`<dt>Album</dt><dd><a href="/console/requests?${new URLSearchParams({ album }).toString()}">${album}</a></dd>`}
<dt>Relay</dt><dd>${heldByHost === null ? 'none has its slot' : heldByHost} <span class="muted">(slot ${slot})</span></dd>
${generation === null ? nothing : html`<dt>Generation</dt><dd>${generation}</dd>`}
${lastEventId === null ? nothing : html`<dt>Last event</dt><dd class="code">${lastEventId}</dd>`}
</dl>
${visitor.mayAct ? buttonsOf(story) : nothing}
</section>
<section class="panel"><h2>Timeline, in UTC</h2>
<ol class="timeline">${timeline(story).map(
    ({ at, shape, what }) =>
      html`<li>${icon(shape)}${at === null ? html`<span class="muted small">now</span>` : moment(at)}<p>${what}</p></li>`,
  )}</ol></section>`;
}

function buttonsOf({ requests }: RecordingStory): Markup {
  const link = (action: string, label: string, id: number) =>
    html`<a class="button" href="/console/act?scope=chosen&amp;action=${action}&amp;id=${id}">${label}</a>`;
  const buttons = requests.flatMap(({ id, status }) => {
    if (status === 'dead')
      return [link('requeue', `Requeue ${id}…`, id), link('discard', `Discard ${id}…`, id)];
    if (status === 'pending')
      return [link('reschedule', `Reschedule ${id}…`, id), link('discard', `Discard ${id}…`, id)];
    return [];
  });
  return buttons.length === 0 ? nothing : html`<p class="buttons">${buttons}</p>`;
}

type Happening = { at: string | null; shape: IconName; what: Markup };

/** What happened, in its order; what is to come, at the end. */
function timeline(story: RecordingStory): Happening[] {
  const past: (Happening & { at: string })[] = [];
  const now: Happening[] = [];
  const add = (at: string | Date | null, shape: IconName, what: Markup) => {
    if (at !== null) past.push({ at: at instanceof Date ? at.toISOString() : at, shape, what });
  };
  for (const request of story.requests) {
    const { id, album_batch_id: batch, request_id: asked, force, priority } = request;
    const by =
      batch === null
        ? 'a single track'
        : html`an album, <a href="/console/albums/${batch}">request ${batch}</a>`;
    add(
      request.requested_at,
      'waiting',
      html`Request ${id} was made for ${by}${asked ? html`, by the API's answer <span class="code">${asked}</span>` : nothing}${force ? ', forced' : ''}${priority === 0 ? '' : `, priority ${priority}`}.`,
    );
    const refusals = `${count(request.attempts)} ${request.attempts === 1 ? 'refusal' : 'refusals'}`;
    if (request.status === 'scheduled') {
      add(
        request.decided_at,
        'sent',
        html`Request ${id} was sent to Inngest${request.event_id ? html` as <span class="code">${request.event_id}</span>` : nothing}.`,
      );
    } else if (request.status === 'skipped') {
      add(
        request.decided_at,
        'skipped',
        html`Request ${id} was skipped: ${(request.reason ?? 'no reason').replace('_', ' ')}.`,
      );
    } else if (request.status === 'dead') {
      add(
        request.decided_at,
        'failure',
        html`Request ${id} was set aside as dead after ${refusals}: ${request.reason ?? 'no reason'}.`,
      );
    } else {
      if (request.last_error !== null) {
        now.push({
          at: null,
          shape: 'warning',
          what: html`Request ${id} has had ${refusals}, the last: ${request.last_error}.`,
        });
      }
      const holder =
        story.heldByHost === null ? 'no relay has its slot' : `with the relay on ${story.heldByHost}`;
      const next = request.next_attempt_at;
      now.push({
        at: null,
        shape: 'waiting',
        what: html`Request ${id} waits, ${holder}${next !== null && Date.parse(next) > Date.now() ? html`; next attempt ${moment(next)}` : nothing}.`,
      });
    }
  }
  const known = story.requests.some(({ status }) => status === 'scheduled');
  if (!known) add(story.sentAt, 'sent', html`Sent to Inngest, by a request that is no longer kept.`);
  add(story.indexedAt, 'index', html`A relay saw it in the index.`);
  if (story.sentAt !== null && story.indexedAt === null && story.deadReason === null) {
    now.push({ at: null, shape: 'unknown', what: html`No relay has seen it in the index yet.` });
  }
  for (const { id, at, action, actor, reason } of story.actions) {
    add(
      at,
      'person',
      html`${actor}: <a href="/console/actions/${id}">${action.replace('_', ' ')}</a>, “${reason}”`,
    );
  }
  return [...past.sort((a, b) => Date.parse(a.at) - Date.parse(b.at)), ...now];
}
