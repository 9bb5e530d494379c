import type { Sql } from '@segue/database/connection.ts';
import { longestAlone } from '@segue/outbox/operate/cut.ts';
import { type RecordingHolder, type RecordingStory, readRecording } from '@segue/outbox/operate/recording.ts';
import type { FastifyInstance } from 'fastify';
import type { Visitor } from '../access/visitor.ts';
import { icon } from './icons.ts';
import { isolated, isolatedText } from './isolated.ts';
import { html, type Markup, nothing } from './markup.ts';
import { problemPage } from './problem.ts';
import { longestAlbum } from './requestFilter.ts';
import { timelineOf } from './timeline.ts';
import { moment, statusWord } from './words.ts';

/** The page of a recording: its whole story, as a timeline. */
export function serveRecording(server: FastifyInstance, { sql }: { sql: Sql }): void {
  server.get<{ Params: { isrc: string } }>(
    '/recordings/:isrc',
    { config: { right: 'read' } },
    async (request, reply) => {
      const visitor = request.visitor as Visitor;
      const isrc = request.params.isrc.slice(0, 100);
      const story = await readRecording(sql, isrc);
      if (story === null) {
        const text = `Nothing is known of “${isolatedText(isrc)}”: it was never requested, or is no ISRC.`;
        return await reply
          .code(404)
          .type('text/html; charset=utf-8')
          .send(problemPage({ status: 404, title: 'No such recording', text, visitor }));
      }
      const head = { title: isolatedText(story.title ?? story.isrc), section: 'requests' as const };
      return reply.sendPage(head, bodyOf(story, visitor));
    },
  );
}

function bodyOf(story: RecordingStory, visitor: Visitor): Markup {
  const { isrc, title, artist, album, state, slot, holder, generation, lastEventId, deadReason } = story;
  return html`<h1>${isolated(title ?? 'A recording that no request is kept of', longestAlone)}</h1>
<section class="panel"><h2 class="hidden">What is known</h2>
<p>${statusWord(state)}${deadReason === null ? nothing : html`: ${isolated(deadReason, longestAlone)}`}</p>
<dl class="facts">
<dt>ISRC</dt><dd class="code">${isrc}</dd>
${artist === null ? nothing : html`<dt>Artist</dt><dd>${isolated(artist, longestAlone)}</dd>`}
${album === null ? nothing : html`<dt>Album</dt><dd>${albumLink(album)}</dd>`}
<dt>Relay</dt><dd>${holderOf(holder)} <span class="muted">(slot ${slot})</span></dd>
${generation === null ? nothing : html`<dt>Generation</dt><dd>${generation}</dd>`}
${lastEventId === null ? nothing : html`<dt>Last event</dt><dd class="code">${isolated(lastEventId, longestAlone)}</dd>`}
</dl>
${visitor.mayAct ? buttonsOf(story) : nothing}
</section>
<section class="panel"><h2>Timeline, in UTC</h2>
<ol class="timeline">${timelineOf(story).map(
    ({ at, shape, what }) =>
      html`<li>${icon(shape)}${at === null ? html`<span class="muted small">now</span>` : moment(at)}<p>${what}</p></li>`,
  )}</ol></section>`;
}

function albumLink(album: string): Markup {
  const name = isolated(album, longestAlone);
  if (album.length > longestAlbum) return name;
  return html`<a href="/console/requests?${new URLSearchParams({ album }).toString()}">${name}</a>`;
}

function holderOf(holder: RecordingHolder | null): Markup {
  if (holder === null) return html`none has its slot`;
  const { host, takenAt, leaseEnded } = holder;
  return html`${isolated(host)}${takenAt === null ? nothing : html`, since ${moment(takenAt)} UTC`}${leaseEnded ? ', whose lease has ended' : ''}`;
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
