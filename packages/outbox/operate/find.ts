import type { Queryable } from '@segue/database/connection.ts';
import { readIsrc } from '@segue/ingestion/isrc.ts';
import type { PendingQuery, Row } from 'postgres';
import { filterForDatabase, type OutboxFilter, type RequestStatus } from './filter.ts';

/** A request as a person looks at it. */
export type FoundRequest = {
  id: number;
  isrc: string;
  title: string;
  artist: string;
  album: string;
  status: RequestStatus | 'in_flight';
  reason: string | null;
  attempts: number;
  lastError: string | null;
  createdAt: Date;
  /** From when on a relay may take it. */
  availableAt: Date;
  settledAt: Date | null;
  force: boolean;
  priority: number;
  albumBatchId: number | null;
  /** The host of the relay that owns the recording's slot, while the request is open. */
  heldByHost: string | null;
};

export type Order = 'newest' | 'oldest';

export type FindOptions = {
  filter?: OutboxFilter;
  /** By the moment of the request. */
  order?: Order;
  /** Rows a page, 1 to 1,000. */
  limit?: number;
  /** Characters that are read of a text of a request; by default all, and there can be megabytes. */
  longestText?: number;
  /** `next` of the page before. */
  after?: string | undefined;
};

export type Page = {
  rows: FoundRequest[];
  /** For `after`; null on the last page. A page may be short, or empty, and have a next one: see {@link find}. */
  next: string | null;
};

/** Requests that one page looks at: what fits may be rare among millions. 20,000 take some 40 ms. */
const lookedAtOnce = 20_000;

/**
 * Finds requests, a page at a time, by key: any page of any table takes the same time.
 *
 * What is pending, dead, of one recording or of a time is found by an index. Whatever else the filter says is looked for
 * among {@link lookedAtOnce} requests a page, so that a page may hold fewer rows than `limit` and still name a next one.
 *
 * @throws CursorError for a cursor that no page has given
 */
export async function find(db: Queryable, options: FindOptions = {}): Promise<Page> {
  const { filter = {}, order = 'newest', limit = 50, after, longestText } = options;
  const cursor = after === undefined ? undefined : readCursor(after);
  const search = {
    db,
    filter: normalised(filter),
    order,
    limit: Math.min(Math.max(1, limit), 1_000),
    cursor,
    longestText,
  };
  if (search.filter.isrc !== undefined) return findByIsrc(search);
  if (filter.status === 'pending' || filter.status === 'dead') return findByAge(search, filter.status);
  return findById(search);
}

/** A cursor that no page has given. */
export class CursorError extends Error {
  override name = 'CursorError';
}

type Cursor = { createdAt: string; id: number };
type Search = {
  db: Queryable;
  filter: OutboxFilter;
  order: Order;
  limit: number;
  cursor: Cursor | undefined;
  longestText: number | undefined;
};
type FoundRow = FoundRequest & { createdAtText: string };

async function findByIsrc({ db, filter, order, limit, cursor, longestText }: Search): Promise<Page> {
  const { isrc } = filter as { isrc: string };
  const rows = await db<FoundRow[]>`
    SELECT ${columns(db, longestText)} FROM (
      SELECT id FROM ingestion_outbox WHERE isrc = ${isrc} AND settled_at IS NOT NULL
      UNION ALL
      SELECT id FROM ingestion_outbox
      WHERE recording_slot(isrc) = recording_slot(${isrc}) AND isrc = ${isrc} AND status IN ('pending', 'in_flight')
    ) AS own
    JOIN ingestion_outbox AS request ON request.id = own.id ${holder(db)}
    WHERE ${fits(db, filter)} AND ${behind(db, order, cursor)}
    ORDER BY ${inOrder(db, order)} LIMIT ${limit + 1}`;
  return pageOf(rows, limit);
}

async function findByAge(
  { db, filter, order, limit, cursor, longestText }: Search,
  status: 'pending' | 'dead',
): Promise<Page> {
  const { createdBefore, createdAfter, status: _, ...further } = filter;
  const candidates = db`${status === 'dead' ? db`request.status = 'dead'` : db`request.settled_at IS NULL`}
      AND ${createdBefore ? db`request.created_at < ${createdBefore}` : db`true`}
      AND ${createdAfter ? db`request.created_at > ${createdAfter}` : db`true`}
      AND ${behind(db, order, cursor)}`;
  // Where every candidate fits, the page is full before the bound is reached: finding that would take longer than the page.
  const everyFits = Object.values(further).every(value => value === undefined);
  const [last] = everyFits
    ? []
    : await db<Cursor[]>`
        SELECT request.id, request.created_at::text AS "createdAt" FROM ingestion_outbox AS request WHERE ${candidates}
        ORDER BY ${inOrder(db, order)} OFFSET ${lookedAtOnce - 1} LIMIT 1`;
  const within = last
    ? order === 'newest'
      ? db`(request.created_at, request.id) >= (${last.createdAt}::text::timestamptz, ${last.id}::bigint)`
      : db`(request.created_at, request.id) <= (${last.createdAt}::text::timestamptz, ${last.id}::bigint)`
    : db`true`;
  const rows = await db<FoundRow[]>`
    SELECT ${columns(db, longestText)} FROM ingestion_outbox AS request ${holder(db)}
    WHERE ${candidates} AND ${within}
      AND ${fits(db, status === 'pending' ? { ...filter, status: undefined } : filter)}
    ORDER BY ${inOrder(db, order)} LIMIT ${limit + 1}`;
  const page = pageOf(rows, limit);
  return page.next === null && last ? { ...page, next: writeCursor(last) } : page;
}

/** Ids rise with the moment of a request, all but exactly. */
async function findById({ db, filter, order, limit, cursor, longestText }: Search): Promise<Page> {
  const newest = order === 'newest';
  const [lowest, highest] = await Promise.all([
    filter.createdAfter
      ? idsAround(db, filter.createdAfter.getTime() - idsStrayMs).then(({ low }) => low)
      : Number.MIN_SAFE_INTEGER,
    filter.createdBefore
      ? idsAround(db, filter.createdBefore.getTime() + idsStrayMs).then(({ high }) => high)
      : Number.MAX_SAFE_INTEGER,
  ]);
  const start = cursor?.id ?? (newest ? highest : lowest - 1);
  const sorted = newest ? db`request.id DESC` : db`request.id`;
  const ahead = newest
    ? db`request.id < ${start} AND request.id >= ${lowest}`
    : db`request.id > ${start} AND request.id <= ${highest}`;
  const [last] = await db<{ id: number }[]>`
    SELECT id FROM ingestion_outbox AS request WHERE ${ahead}
    ORDER BY ${sorted} OFFSET ${lookedAtOnce - 1} LIMIT 1`;
  const within = last ? (newest ? db`request.id >= ${last.id}` : db`request.id <= ${last.id}`) : db`true`;
  const rows = await db<FoundRow[]>`
    SELECT ${columns(db, longestText)} FROM ingestion_outbox AS request ${holder(db)}
    WHERE ${ahead} AND ${within} AND ${fits(db, filter)}
    ORDER BY ${sorted} LIMIT ${limit + 1}`;
  const page = pageOf(rows, limit);
  if (page.next !== null || !last) return page;
  return { ...page, next: writeCursor({ createdAt: 'infinity', id: last.id }) };
}

/** A transaction takes its ids some time after its moment. */
const idsStrayMs = 60_000;

/** So near is near enough: what lies between is looked at anyway. */
const nearIds = 1_000;

/**
 * Between which ids the first request lies that was made at that moment (ms) or later, all but exactly: some 14 looks at
 * the primary key among ten million.
 */
async function idsAround(db: Queryable, atMs: number): Promise<{ low: number; high: number }> {
  const [bounds] = await db<[{ low: number | null; high: number | null }]>`
    SELECT (SELECT min(id) FROM ingestion_outbox) AS low, (SELECT max(id) FROM ingestion_outbox) AS high`;
  if (bounds.low === null || bounds.high === null) return { low: 0, high: 0 };
  let low = bounds.low;
  let high = bounds.high + 1;
  while (high - low > nearIds) {
    const middle = Math.floor((low + high) / 2);
    const [row] = await db<{ id: number; earlier: boolean }[]>`
      SELECT id, created_at < ${new Date(atMs)} AS earlier FROM ingestion_outbox WHERE id >= ${middle} ORDER BY id LIMIT 1`;
    if (row?.earlier) low = row.id + 1;
    else high = middle;
  }
  return { low, high };
}

function columns(db: Queryable, longestText: number | undefined): PendingQuery<Row[]> {
  const text = (name: string) =>
    longestText === undefined ? db`request.${db(name)}` : db`left(request.${db(name)}, ${longestText}::int)`;
  return db`request.id, request.isrc, ${text('title')} AS title, ${text('artist')} AS artist, ${text('album')} AS album,
    request.status, ${text('reason')} AS reason, request.attempts, ${text('last_error')} AS "lastError",
    request.created_at AS "createdAt",
    request.available_at AS "availableAt", request.settled_at AS "settledAt", request.force, request.priority,
    request.album_batch_id AS "albumBatchId", relay.host AS "heldByHost", request.created_at::text AS "createdAtText"`;
}

function holder(db: Queryable): PendingQuery<Row[]> {
  return db`LEFT JOIN relay_slots AS slot ON request.settled_at IS NULL AND slot.slot = recording_slot(request.isrc)
    LEFT JOIN relays AS relay ON relay.id = slot.owner`;
}

function fits(db: Queryable, filter: OutboxFilter): PendingQuery<Row[]> {
  return db`ingestion_outbox_matches(request, ${JSON.stringify(filterForDatabase(filter))}::text::jsonb)`;
}

function behind(db: Queryable, order: Order, cursor: Cursor | undefined): PendingQuery<Row[]> {
  if (cursor === undefined) return db`true`;
  const { createdAt, id } = cursor;
  return order === 'newest'
    ? db`(request.created_at, request.id) < (${createdAt}::text::timestamptz, ${id}::bigint)`
    : db`(request.created_at, request.id) > (${createdAt}::text::timestamptz, ${id}::bigint)`;
}

function inOrder(db: Queryable, order: Order): PendingQuery<Row[]> {
  return order === 'newest'
    ? db`request.created_at DESC, request.id DESC`
    : db`request.created_at, request.id`;
}

/** One row more than the page shows says that there is a next one. */
function pageOf(found: FoundRow[], limit: number): Page {
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  const next =
    found.length > limit && last ? writeCursor({ createdAt: last.createdAtText, id: last.id }) : null;
  return { rows: shown.map(({ createdAtText, ...row }) => row), next };
}

/** Microseconds are kept: a Date would lose them, and rows with them. */
function writeCursor({ createdAt, id }: Cursor): string {
  return Buffer.from(`${createdAt}|${id}`).toString('base64url');
}

/** A moment as PostgreSQL writes it. What looks like none is refused here, and not by a failing statement. */
const momentText =
  /^(\d{4,5})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]) (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?[+-](?:0\d|1[0-5])(?::[0-5]\d){0,2}$/;

function readCursor(text: string): Cursor {
  const decoded = Buffer.from(text.slice(0, 200), 'base64url').toString();
  const [, createdAt = '', idText] = /^([^|]*)\|(-?\d{1,16})$/.exec(decoded) ?? [];
  const id = Number(idText);
  if (!isMoment(createdAt) || !Number.isSafeInteger(id))
    throw new CursorError('that is no cursor of this list: take `next` of the page before');
  return { createdAt, id };
}

function isMoment(text: string): boolean {
  if (text === 'infinity' || text === '-infinity') return true;
  const [, year, month, day] = (momentText.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined) return false;
  return year > 0 && new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
}

/** As the outbox stores it; one that is no ISRC matches nothing. */
function normalised(filter: OutboxFilter): OutboxFilter {
  if (filter.isrc === undefined) return filter;
  const reading = readIsrc(filter.isrc);
  return { ...filter, isrc: 'isrc' in reading ? reading.isrc : filter.isrc };
}
