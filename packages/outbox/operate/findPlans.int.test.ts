import { connect, type Queryable } from '@segue/database/connection.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { beforeAll, describe, expect, test } from 'vitest';
import { plannerSettings } from '../plannerSettings.ts';
import { accessesOf, countOf } from '../test/plans.ts';
import { countFor } from './count.ts';
import type { OutboxFilter } from './filter.ts';
import { type FindOptions, find } from './find.ts';
import { readRecording } from './recording.ts';

const database = useDatabase();

beforeAll(async () => {
  const { sql } = database;
  await sql`ALTER TABLE ingestion_outbox SET (autovacuum_enabled = off)`;
  await add('scheduled', 100_000);
  await add('dead', 200);
  await add('pending', 2_000);
  await sql`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at)
    SELECT isrc, id, 1, now() FROM ingestion_outbox WHERE status = 'scheduled'`;
  await sql`VACUUM (ANALYZE) ingestion_outbox, ingestion_ledger`;
});

function add(status: string, count: number) {
  return database.sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, status, settled_at, created_at)
    SELECT upper(left(md5(n || ${status}), 12)), 'So What', 'Miles Davis', 'Kind of Blue', ${status},
      CASE ${status} WHEN 'pending' THEN NULL ELSE now() END, now() - interval '1 day' + n * interval '0.5 s'
    FROM generate_series(1, ${count}::int) AS n`;
}

/** How the work reads the outbox and the ledger, each way once. */
async function readsOf(work: (db: Queryable) => Promise<unknown>): Promise<string[]> {
  const { url } = database;
  const sql = connect({ url, applicationName: 'segue-console', max: 1, settings: plannerSettings });
  try {
    const accesses = await accessesOf(sql, work);
    const ours = accesses.filter(({ table }) => ['ingestion_outbox', 'ingestion_ledger'].includes(table));
    return [...new Set(ours.map(({ how }) => how.replace('Index Only Scan', 'Index Scan')))].sort();
  } finally {
    await sql.end();
  }
}

const byKey = 'Index Scan using ingestion_outbox_pkey';
const open = 'Index Scan using ingestion_outbox_open';
const dead = 'Index Scan using ingestion_outbox_dead_by_age';
const openBySlot = 'Index Scan using ingestion_outbox_open_by_slot';
const settledByIsrc = 'Index Scan using ingestion_outbox_settled_by_isrc';

/** What the list filters by beside the status. */
const filters: [string, OutboxFilter][] = [
  ['nothing else', {}],
  ['reason', { reason: 'duplicate' }],
  ['error', { error: '429' }],
  ['text', { text: 'nowhere' }],
  ['artist', { artist: 'miles davis' }],
  ['album', { album: 'kind of blue' }],
  ["album's request", { albumBatchId: 7 }],
  ['refusals', { attempts: 1 }],
  [
    'age',
    { createdBefore: new Date(Date.now() - 3_600_000), createdAfter: new Date(Date.now() - 7_200_000) },
  ],
];

const statuses: [OutboxFilter['status'], string][] = [
  [undefined, byKey],
  ['pending', open],
  ['scheduled', byKey],
  ['dead', dead],
];

describe.each(statuses)('requests that are %s', (status, index) => {
  test.each(filters)(
    'and filtered by %s are read by one index, in both orders, first page and next',
    async (_, filter) => {
      for (const order of ['newest', 'oldest'] as const) {
        const options: FindOptions = { filter: { status, ...filter }, order, limit: 20 };
        const { next } = await find(database.sql, { ...options, filter: { status } });
        const reads = await readsOf(async db => {
          await find(db, options);
          await find(db, { ...options, after: next ?? undefined });
        });
        expect(reads).toEqual([index]);
      }
    },
  );
});

test('of a list that filters by nothing else, no more is looked at than the page has', async () => {
  const entries = `pg_stat_get_xact_tuples_returned('ingestion_outbox_open'::regclass)`;
  const looked = await countOf(database.sql, entries, async db => {
    const { rows } = await find(db, { filter: { status: 'pending' }, order: 'newest', limit: 20 });
    expect(rows).toHaveLength(20);
  });
  expect(looked).toBeLessThan(50);
});

test('a recording is found by the indexes that know its ISRC or its slot', async () => {
  const isrc = 'TESTS0000001';
  expect(await readsOf(db => find(db, { filter: { isrc } }))).toEqual(
    [openBySlot, byKey, settledByIsrc].sort(),
  );
  expect(await readsOf(db => readRecording(db, isrc))).toEqual(
    ['Index Scan using ingestion_ledger_pkey', openBySlot, byKey, settledByIsrc].sort(),
  );
});

test('the count of what an action would change ends as soon as it is enough', async () => {
  const selection = { filter: { status: 'pending' as const } };
  const entries = `pg_stat_get_xact_tuples_fetched('ingestion_outbox'::regclass)`;
  const fetched = await countOf(database.sql, entries, async db => {
    const counted = await countFor(db, { kind: 'reschedule', at: 'now' }, selection, 100);
    expect(counted).toEqual({ count: 100, more: true });
  });
  expect(fetched).toBeLessThan(200);
});
