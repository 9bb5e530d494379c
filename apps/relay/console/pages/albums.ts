import type { Sql } from '@segue/database/connection.ts';
import { type AlbumBatch, readAlbum, readAlbums } from '@segue/outbox/operate/albums.ts';
import { longestAlone, longestRead } from '@segue/outbox/operate/cut.ts';
import { find } from '@segue/outbox/operate/find.ts';
import { readOwedItems } from '@segue/outbox/operate/glance.ts';
import type { FastifyInstance } from 'fastify';
import type { Snapshot } from '../live/watch.ts';
import { isolated, isolatedText } from './isolated.ts';
import { html, type Markup, nothing } from './markup.ts';
import { owedTable } from './parts.ts';
import { problemPage } from './problem.ts';
import { requestTable } from './requests.ts';
import { wholeNumber } from './requestValues.ts';
import { ago, boundedCount, count, moment } from './words.ts';

const albumsOnPage = 50;
const owedOnPage = 100;
const requestsOfAlbum = 500;
const anyId = { min: 1, max: Number.MAX_SAFE_INTEGER - 1 };

/** Albums: what TIDAL owes of them, and how far each request of one is. */
export function serveAlbums(server: FastifyInstance, { sql }: { sql: Sql }): void {
  server.get('/albums', { config: { right: 'read' } }, async (request, reply) => {
    const before = wholeNumber(request.query, 'before', anyId);
    const [albums, owed] = await Promise.all([
      readAlbums(sql, { limit: albumsOnPage + 1, before }),
      before === undefined ? readOwedItems(sql, { limit: owedOnPage }) : [],
    ]);
    const shown = albums.slice(0, albumsOnPage);
    const bodyOf = ({ glance }: Snapshot) => html`<h1>Albums</h1>
${
  before === undefined
    ? html`<section class="panel" id="owed"><div class="heading"><h2>Waiting for TIDAL</h2><span class="hint">${
        glance === null ? '' : `${boundedCount(glance.owed)} in all, the oldest first`
      }</span></div>${owedTable(owed, Date.now())}</section>`
    : nothing
}
<section class="panel"><h2>Requested albums, the newest first</h2>${albumTable(shown)}
<p class="pages">${before === undefined ? nothing : html`<a class="button" href="/console/albums">First page</a>`}${
      albums.length > albumsOnPage
        ? html`<a class="button" rel="next" href="/console/albums?before=${shown.at(-1)?.id ?? 0}">Next page</a>`
        : nothing
    }</p></section>`;
    return reply.sendPage({ title: 'Albums', section: 'albums' }, bodyOf);
  });

  server.get('/albums/:id', { config: { right: 'read' } }, async (request, reply) => {
    const id = wholeNumber(request.params, 'id', anyId);
    const album = id === undefined ? null : await readAlbum(sql, id);
    if (album === null) {
      const text =
        'There is no such request of an album. Those that are done are deleted after RELAY_RETENTION_DAYS.';
      const problem = { status: 404, title: 'No such album', text, visitor: request.visitor };
      return await reply.code(404).type('text/html; charset=utf-8').send(problemPage(problem));
    }
    const createdAfter = new Date(album.requestedAt.getTime() - 1_000);
    const [owed, found] = await Promise.all([
      readOwedItems(sql, { limit: owedOnPage, albumBatchId: album.id }),
      find(sql, {
        filter: { albumBatchId: album.id, createdAfter },
        order: 'oldest',
        limit: requestsOfAlbum,
        longestText: longestRead,
      }),
    ]);
    const name = album.album ?? `Album request ${album.id}`;
    const body = html`<h1>${isolated(name, longestAlone)}</h1>
<section class="panel"><h2 class="hidden">How far it is</h2>
<p>${album.artist === null ? nothing : html`${isolated(album.artist, longestAlone)}, `}requested ${moment(album.requestedAt)} UTC</p>
<dl class="facts"><dt>Tracks</dt><dd>${count(album.total)}, with those that TIDAL owes</dd>
<dt>Scheduled</dt><dd>${count(album.scheduled)}</dd><dt>Skipped</dt><dd>${count(album.skipped)}</dd>
<dt>Dead</dt><dd>${count(album.dead)}</dd><dt>Still open</dt><dd>${count(stillOpen(album))}</dd></dl></section>
<section class="panel"><h2>What TIDAL still owes</h2>${owedTable(owed, Date.now())}</section>
<section class="panel"><div class="heading"><h2>Its requests</h2><a href="/console/requests?batch=${album.id}&amp;order=oldest">As a list</a></div>${
      found.rows.length === 0
        ? html`<p class="empty">None of its requests is kept.</p>`
        : requestTable(found.rows)
    }</section>`;
    return reply.sendPage({ title: isolatedText(name), section: 'albums' }, body);
  });
}

function stillOpen({ total, scheduled, skipped, dead }: AlbumBatch): number {
  return Math.max(0, total - scheduled - skipped - dead);
}

function albumTable(albums: AlbumBatch[]): Markup {
  if (albums.length === 0) return html`<p class="empty">No album was requested.</p>`;
  return html`<div class="scroll"><table class="stack"><thead><tr><th scope="col">Album</th><th scope="col" class="number">Tracks</th><th scope="col" class="number">Open</th><th scope="col" class="number">Scheduled</th><th scope="col" class="number">Skipped</th><th scope="col" class="number">Dead</th><th scope="col">Requested</th></tr></thead>
<tbody>${albums.map(
    album =>
      html`<tr><th scope="row" class="title"><a href="/console/albums/${album.id}">${isolated(album.album ?? `Request ${album.id}`)}</a>${
        album.artist === null ? nothing : html`<br><span class="muted small">${isolated(album.artist)}</span>`
      }</th><td class="number" data-label="Tracks">${count(album.total)}</td><td class="number" data-label="Open">${count(stillOpen(album))}</td><td class="number" data-label="Scheduled">${count(album.scheduled)}</td><td class="number" data-label="Skipped">${count(album.skipped)}</td><td class="number" data-label="Dead">${count(album.dead)}</td><td class="fixed" data-label="Requested">${ago(album.requestedAt)}</td></tr>`,
  )}</tbody></table></div>`;
}
