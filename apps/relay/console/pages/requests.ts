import type { Sql } from '@segue/database/connection.ts';
import { longestAlone, longestRead } from '@segue/outbox/operate/cut.ts';
import { requestStatuses } from '@segue/outbox/operate/filter.ts';
import { CursorError, type FoundRequest, find, type Order } from '@segue/outbox/operate/find.ts';
import type { FastifyInstance } from 'fastify';
import type { Visitor } from '../access/visitor.ts';
import { isolated, isolatedText } from './isolated.ts';
import { html, type Markup, nothing } from './markup.ts';
import {
  ageWords,
  type FormFilter,
  filterInWords,
  filterParameters,
  isFiltered,
  longestAlbum,
  outboxFilter,
  readFilter,
  requestsPath,
} from './requestFilter.ts';
import { choice, field } from './requestValues.ts';
import { ago, count, statusWord } from './words.ts';

/** Of 50 the first paint takes 10 ms longer. */
const rowsOnPage = 25;

/** The list of requests: filtered by its address, a page at a time. */
export function serveRequests(server: FastifyInstance, { sql }: { sql: Sql }): void {
  server.get('/requests', { config: { right: 'read' } }, async (request, reply) => {
    const filter = readFilter(request.query);
    const order = choice(request.query, 'order', ['newest', 'oldest'] as const) ?? 'newest';
    const after = field(request.query, 'after');
    const search = {
      filter: outboxFilter(filter),
      order,
      limit: rowsOnPage,
      after,
      longestText: longestRead,
    };
    const found = await find(sql, search).catch(error => {
      if (!(error instanceof CursorError)) throw error;
      return null;
    });
    if (found === null) return await reply.redirect(requestsPath(filter, { order }), 303);
    const visitor = request.visitor as Visitor;
    const body = html`<h1>Requests</h1>
${filterForm(filter, order)}
<section class="panel" aria-labelledby="found">
<div class="heading"><h2 id="found">${filterInWords(filter)}, the ${order} first</h2>${
      isFiltered(filter) ? html`<a href="/console/requests">Show all</a>` : nothing
    }</div>
${
  found.rows.length === 0
    ? html`<p class="empty">${
        found.next === null ? 'No request fits.' : 'None of the 20,000 requests that were looked at fits.'
      }</p>`
    : visitor.mayAct
      ? html`<form method="get" action="/console/act">${filterParameters(filter).map(
          ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
        )}${requestTable(found.rows, { choose: true })}${actionButtons(filter)}</form>`
      : requestTable(found.rows)
}
<p class="pages">${
      after === undefined
        ? nothing
        : html`<a class="button" href="${requestsPath(filter, { order })}">First page</a>`
    }${
      found.next === null
        ? html`<span class="hint">${found.rows.length === 0 ? '' : 'This is all.'}</span>`
        : html`<a class="button" rel="next" href="${requestsPath(filter, { order, after: found.next })}">${
            found.rows.length < rowsOnPage ? 'Look further' : 'Next page'
          }</a>${
            found.rows.length < rowsOnPage
              ? html`<span class="hint">20,000 requests were looked at for this page.</span>`
              : nothing
          }`
    }</p>
</section>`;
    return reply.sendPage({ title: 'Requests', section: 'requests' }, body);
  });
}

function filterForm(filter: FormFilter, order: Order): Markup {
  const option = (value: string, label: string, chosen: string | undefined) =>
    html`<option value="${value}"${value === (chosen ?? '') ? html` selected` : nothing}>${label}</option>`;
  const ageOptions = (chosen: string | undefined) => [
    option('', 'any', chosen),
    ...Object.entries(ageWords).map(([value, label]) => option(value, label, chosen)),
  ];
  return html`<form class="panel" method="get" action="/console/requests" role="search" aria-label="Requests">
<div class="filters">
<div class="wide"><label for="q">ISRC, title, artist or album</label><input id="q" name="q" type="search" maxlength="200" value="${filter.q ?? ''}"></div>
<div><label for="status">Status</label><select id="status" name="status">${[
    option('', 'any', filter.status),
    ...requestStatuses.map(status => option(status, status, filter.status)),
  ]}</select></div>
<div><label for="error">Refused with</label><input id="error" name="error" maxlength="200" value="${filter.error ?? ''}"></div>
<div><label for="reason">Skipped as</label><select id="reason" name="reason">${[
    option('', 'any', filter.reason),
    option('duplicate', 'duplicate', filter.reason),
    option('already_indexed', 'already indexed', filter.reason),
    option('discarded', 'discarded', filter.reason),
  ]}</select></div>
<div><label for="album">Album, exactly</label><input id="album" name="album" maxlength="${longestAlbum}" value="${filter.album ?? ''}"></div>
<div><label for="older">Older than</label><select id="older" name="older">${ageOptions(filter.older)}</select></div>
<div><label for="newer">Younger than</label><select id="newer" name="newer">${ageOptions(filter.newer)}</select></div>
<div><label for="attempts">Refusals, at least</label><input id="attempts" name="attempts" inputmode="numeric" pattern="[0-9]*" maxlength="4" value="${filter.attempts ?? ''}"></div>
<div><label for="order">Order</label><select id="order" name="order">${option('newest', 'newest first', order)}${option('oldest', 'oldest first', order)}</select></div>
${filter.batch === undefined ? nothing : html`<input type="hidden" name="batch" value="${filter.batch}">`}
<div class="buttons"><button class="primary">Show</button></div>
</div>
</form>`;
}

/** A table of requests, each with a link to the story of its recording. */
export function requestTable(rows: readonly FoundRequest[], { choose = false } = {}): Markup {
  return html`<div class="scroll"><table class="stack">
<thead><tr>${
    choose
      ? html`<th scope="col"><span class="hidden">Choose</span><label hidden><input type="checkbox" data-check-all aria-label="All on this page"></label></th>`
      : nothing
  }<th scope="col">Recording</th><th scope="col">Album</th><th scope="col">Status</th><th scope="col">Requested</th><th scope="col">Remarks</th></tr></thead>
<tbody>${rows.map(
    row =>
      html`<tr>${
        choose
          ? html`<td><input type="checkbox" name="id" value="${row.id}" aria-label="Request ${row.id}: ${isolatedText(row.title)}"></td>`
          : nothing
      }<th scope="row" class="title"><a href="/console/recordings/${encodeURIComponent(row.isrc)}">${isolated(row.title || '(no title)')}</a><br><span class="muted small">${isolated(row.artist)} · <span class="code">${row.isrc}</span></span></th><td data-label="Album">${isolated(row.album)}</td><td data-label="Status">${statusWord(row.status)}</td><td class="fixed" data-label="Requested">${ago(row.createdAt)}</td><td data-label="Remarks" class="small">${remarks(row)}</td></tr>`,
  )}</tbody></table></div>`;
}

function remarks(row: FoundRequest): Markup {
  const parts: (Markup | string)[] = [];
  if (row.reason !== null) parts.push(isolated(row.reason, longestAlone));
  if (row.status === 'pending') {
    if (row.attempts > 0)
      parts.push(
        html`refused ${count(row.attempts)} ${row.attempts === 1 ? 'time' : 'times'}: ${isolated(row.lastError ?? 'no message', longestAlone)}`,
      );
    if (row.availableAt.getTime() > Date.now()) parts.push(html`next attempt ${ago(row.availableAt)}`);
    parts.push(row.heldByHost === null ? 'no relay has its slot' : html`with ${isolated(row.heldByHost)}`);
  } else if (row.settledAt !== null) parts.push(html`settled ${ago(row.settledAt)}`);
  if (row.force) parts.push('forced');
  return html`${parts.map((part, at) => html`${at > 0 ? '; ' : ''}${part}`)}`;
}

function actionButtons(filter: FormFilter): Markup {
  const button = (action: string, label: string) =>
    html`<button name="action" value="${action}">${label}</button>`;
  const all =
    filter.status === 'dead' || filter.status === 'pending'
      ? html`<fieldset class="buttons"><legend class="hidden">Which</legend>
<label><input type="radio" name="scope" value="chosen" checked> the ticked ones</label>
<label><input type="radio" name="scope" value="all"> all that match</label></fieldset>`
      : html`<input type="hidden" name="scope" value="chosen">`;
  return html`<div class="buttons pages">${all}${
    filter.status === 'pending' ? nothing : button('requeue', 'Requeue…')
  }${button('discard', 'Discard…')}${filter.status === 'dead' ? nothing : button('reschedule', 'Reschedule…')}</div>`;
}
