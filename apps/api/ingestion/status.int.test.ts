import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import { describe, expect, test } from 'vitest';
import { newIsrc } from '../test/catalog.ts';
import { useLibrary } from '../test/library.ts';
import { createStatusLookup, ingestionStatuses, readIngestions } from './status.ts';
import { hasStatus } from './statusInSql.ts';

const here = useLibrary();

const at = (minute: number) => new Date(Date.UTC(2025, 10, 23, 12, minute));
const requestedAt = at(10);
const recording = (isrc: string | null, title = 'So What') => ({ isrc, title, createdAt: requestedAt });
const lookup = () => createStatusLookup(requests => readIngestions(here.database, requests));

/**
 * What the ledger has of a recording, and the request that owns it: null for one that is deleted, of another ISRC for one
 * whose id another has got since.
 */
type Known = {
  request: { status: string; settledAt?: Date; isrc?: string } | null;
  sentAt?: Date;
  indexedAt?: Date;
  deadReason?: string;
};

async function know(isrc: string, { request, sentAt, indexedAt, deadReason }: Known): Promise<void> {
  const [{ id }] = await here.sql<[{ id: number }]>`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, status, settled_at)
    VALUES (${request?.isrc ?? isrc}, 'So What', 'Miles Davis', 'Kind of Blue', ${request?.status ?? 'pending'},
      ${request?.settledAt ?? null})
    RETURNING id`;
  if (request === null) await here.sql`DELETE FROM ingestion_outbox WHERE id = ${id}`;
  await here.sql`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at, indexed_at, dead_reason)
    VALUES (${isrc}, ${id}, 1, ${sentAt ?? null}, ${indexedAt ?? null}, ${deadReason ?? null})`;
}

/** The status as filters and counts have it. */
async function statusInCondition(isrc: string | null, title = 'So What'): Promise<unknown> {
  const columns = {
    isrc: sql`${isrc}::text`,
    title: sql`${title}::text`,
    requestedAt: sql`${requestedAt.toISOString()}::timestamptz`,
  };
  const conditions = ingestionStatuses.map(
    status => sql`CASE WHEN ${hasStatus(columns, [status])} THEN ${status} END`,
  );
  const [row] = await here.database.drizzle.execute(
    sql`SELECT concat(${sql.join(conditions, sql`, `)}) AS status`,
  );
  return row?.status;
}

const settled = (status: string, settledAt = at(11)) => ({ status, settledAt });

describe('a recording', () => {
  test.each<[string, Known | undefined, object]>([
    ['that no relay has seen yet', undefined, { status: 'PENDING' }],
    ['whose request waits', { request: { status: 'pending' }, sentAt: at(5) }, { status: 'PENDING' }],
    ['that a relay has in hand', { request: { status: 'in_flight' } }, { status: 'PENDING' }],
    [
      'that was sent',
      { request: settled('scheduled'), sentAt: at(11) },
      { status: 'SCHEDULED', scheduledAt: at(11) },
    ],
    [
      'that was sent before this item was added',
      { request: settled('scheduled', at(5)), sentAt: at(5) },
      { status: 'SCHEDULED', scheduledAt: at(5) },
    ],
    [
      'that was sent so long ago that its request is deleted',
      { request: null, sentAt: at(5) },
      { status: 'SCHEDULED', scheduledAt: at(5) },
    ],
    [
      'that was sent by a request whose id is now that of another, which waits',
      { request: { status: 'pending', isrc: newIsrc() }, sentAt: at(5) },
      { status: 'SCHEDULED', scheduledAt: at(5) },
    ],
    [
      'that was seen in the index, and never sent',
      { request: settled('skipped'), indexedAt: at(11) },
      { status: 'INDEXED', reason: 'already_indexed' },
    ],
    [
      'that was seen in the index after it was sent',
      { request: settled('skipped'), sentAt: at(5), indexedAt: at(11) },
      { status: 'INDEXED', reason: 'already_indexed' },
    ],
    [
      'that was sent again after it was seen in the index',
      { request: settled('scheduled'), sentAt: at(12), indexedAt: at(11) },
      { status: 'SCHEDULED', scheduledAt: at(12) },
    ],
    [
      'whose request died',
      { request: settled('dead'), deadReason: 'event too large' },
      { status: 'FAILED', reason: 'event too large' },
    ],
    [
      'that was requested after another request had died',
      { request: settled('dead', at(9)), deadReason: 'event too large' },
      { status: 'PENDING' },
    ],
    [
      'whose request died so long ago that it is deleted',
      { request: null, deadReason: 'event too large' },
      { status: 'FAILED', reason: 'event too large' },
    ],
    [
      'that was sent, and whose forced request died within the dedupe window',
      { request: settled('dead', at(9)), sentAt: at(5) },
      { status: 'SCHEDULED', scheduledAt: at(5) },
    ],
    ['of which nothing came', { request: settled('scheduled') }, { status: 'PENDING' }],
  ])('%s', async (_, known, expected) => {
    const isrc = newIsrc();
    if (known) await know(isrc, known);
    const ingestion = await lookup()(recording(isrc));
    expect(ingestion).toEqual({ requestedAt, scheduledAt: null, reason: null, ...expected });
    expect(await statusInCondition(isrc)).toBe(ingestion.status);
  });

  test.each<[string, string | null, string, string]>([
    ['without an ISRC', null, 'So What', 'missing_isrc'],
    ['with a blank ISRC', ' - ', 'So What', 'missing_isrc'],
    ['with an invalid ISRC', 'USRC1', 'So What', 'invalid_isrc'],
    ['with an ISRC that was not read when it was added', 'ISRC USRC17607839', 'So What', 'invalid_isrc'],
    ['with an empty title', 'USRC17607839', '', 'invalid_event'],
    [
      'with a blank title',
      'USRC17607839',
      '\t\n\v\f\r \u00a0\u1680\u2003\u2028\u3000\ufeff',
      'invalid_event',
    ],
  ])('%s is not requested, and nobody is asked', async (_, isrc, title, reason) => {
    const statusOf = createStatusLookup(() => Promise.reject(new Error('asked')));
    expect(await statusOf(recording(isrc, title))).toEqual({
      status: 'NOT_REQUESTED',
      requestedAt: null,
      scheduledAt: null,
      reason,
    });
    expect(await statusInCondition(isrc, title)).toBe('NOT_REQUESTED');
  });

  test('with a title of a character that is trimmed is not requested, of any other it is', async () => {
    const titles = Array.from({ length: 0x10000 - 1 }, (_, code) => String.fromCharCode(code + 1)).filter(
      character => /\p{White_Space}|\p{Cf}|\p{Cc}/u.test(character),
    );
    const trimmed = titles.filter(title => title.trim() === '');
    const found = await Promise.all(
      titles.map(async title => ({ title, status: await statusInCondition('USRC17607839', title) })),
    );
    expect(found.filter(({ status }) => status === 'NOT_REQUESTED').map(({ title }) => title)).toEqual(
      trimmed,
    );
  });
});

test('a thousand recordings are one query, and those asked for later another', async () => {
  const queries: string[] = [];
  const logger = { logQuery: (query: string) => queries.push(query) };
  const counting = { ...here.database, drizzle: drizzle(here.database.sql, { logger }) };
  const statusOf = createStatusLookup(requests => readIngestions(counting, requests));
  const indexed = newIsrc();
  await know(indexed, { request: settled('skipped'), indexedAt: at(11) });

  const isrcs = Array.from({ length: 1000 }, () => newIsrc()).with(500, indexed);
  const answers = await Promise.all(isrcs.map(isrc => statusOf(recording(isrc))));
  expect(answers.map(({ status }) => status)).toEqual(
    isrcs.map(isrc => (isrc === indexed ? 'INDEXED' : 'PENDING')),
  );
  expect(queries).toHaveLength(1);

  await statusOf(recording(newIsrc()));
  expect(queries).toHaveLength(2);
});

test('what many items ask for at different times is answered for each', async () => {
  const isrc = newIsrc();
  await know(isrc, { request: settled('dead'), deadReason: 'event too large' });
  const statusOf = lookup();
  const answers = await Promise.all([
    statusOf(recording(isrc)),
    statusOf({ ...recording(isrc), createdAt: at(12) }),
    statusOf(recording(isrc)),
  ]);
  expect(answers.map(({ status }) => status)).toEqual(['FAILED', 'PENDING', 'FAILED']);
});
