import { randomUUID } from 'node:crypto';
import { connect, type Queryable } from '@segue/database/connection.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { beforeAll, describe, expect, test } from 'vitest';
import { readBacklog, readRecent } from '../backlog.ts';
import { claim } from '../claim.ts';
import { steadyPlans } from '../plannerSettings.ts';
import { release, retryLater } from '../release.ts';
import { deleteSettled } from '../retain.ts';
import { settle, settleDead } from '../settle.ts';
import { take } from '../take.ts';
import { asDuplicates, asIndexed, asScheduled } from './outbox.ts';
import { type Access, accessesOf, partsWalkedAgain } from './plans.ts';

/** Rows a claim, as the relay has it. */
const batchSize = 500;
const many = 200_000;
const batch = { limit: batchSize, leaseMs: 30_000 };
const lease = randomUUID();

/** A database whose statistics stay as the test leaves them. */
function useUnwatchedDatabase() {
  const database = useDatabase();
  beforeAll(async () => {
    for (const table of ['ingestion_outbox', 'ingestion_ledger']) {
      await database.sql`ALTER TABLE ${database.sql(table)} SET (autovacuum_enabled = off)`;
    }
  });
  return database;
}

/** Plans are kept by the connection, and steered by its settings: one, as a relay has it. */
function connectAsRelay(url: string) {
  const sql = connect({ url, applicationName: 'relay', max: 1, settings: steadyPlans });
  return { sql, [Symbol.asyncDispose]: () => sql.end() };
}

function addRequests(db: Queryable, count: number, status: string) {
  return db`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, status, settled_at)
    SELECT upper(left(md5(n || ${status}), 12)), 'So What', 'Miles Davis', 'Kind of Blue', ${status},
      CASE ${status} WHEN 'pending' THEN NULL ELSE now() END
    FROM generate_series(1, ${count}::int) AS n`;
}

/** The tables as a relay may find them, and which plans they may lead to: nothing is planned for any values on empty tables. */
const states: [string, Access['plan'][], (db: Queryable) => Promise<unknown>][] = [
  ['on empty tables', ['custom'], async () => undefined],
  [
    'behind a bulk load that nothing has analysed',
    ['custom', 'generic'],
    db => addRequests(db, many, 'pending'),
  ],
  [
    'with few open rows behind a long settled history',
    ['custom', 'generic'],
    async db => {
      await addRequests(db, many, 'scheduled');
      await db`
        INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at)
        SELECT isrc, id, 1, now() FROM ingestion_outbox`;
      await addRequests(db, 20, 'pending');
      await db`ANALYZE ingestion_outbox, ingestion_ledger`;
    },
  ],
];

describe.each(states)('%s', (_, plans, fill) => {
  const database = useUnwatchedDatabase();
  beforeAll(() => fill(database.sql));

  /** As many as a claim has, the newest. */
  const someRows = () => database.sql<{ id: number; isrc: string }[]>`
    SELECT id, isrc FROM ingestion_outbox ORDER BY id DESC LIMIT ${batchSize}`;

  async function accessesOfOutbox(work: (db: Queryable) => Promise<unknown>): Promise<Access[]> {
    await using relay = connectAsRelay(database.url);
    const accesses = await accessesOf(relay.sql, work);
    return accesses.filter(({ table, plan }) => table === 'ingestion_outbox' && plans.includes(plan));
  }

  /** How the work reads the outbox, each way once. */
  async function readsOfOutbox(work: (db: Queryable) => Promise<unknown>): Promise<string[]> {
    const reads = (await accessesOfOutbox(work)).map(({ how }) => how);
    // An empty list of ids implies any condition, that of this index, too.
    return [...new Set(reads.filter(how => !how.endsWith('ingestion_outbox_dead_by_age')))].sort();
  }

  test('a claim walks the index of open rows in its order, and looks each row up by its id', async () => {
    const reads = await readsOfOutbox(async db => {
      await claim(db, batch);
      await claim(db, { ...batch, from: { createdAt: '2026-01-01 00:00:00+00', id: 1 }, also: [1, 2, 3] });
    });
    expect(reads).toEqual([
      'Index Scan using ingestion_outbox_open',
      'Index Scan using ingestion_outbox_pkey',
    ]);
  });

  test('a claim finds the rows that it looks at besides by their ids', async () => {
    const accesses = await accessesOfOutbox(db => claim(db, { ...batch, also: [1, 2, 3] }));
    const walks = accesses.filter(({ how }) => how.endsWith('ingestion_outbox_open'));
    expect(walks.map(({ plan }) => plan)).toEqual(plans);
  });

  test('taking looks up the owners and nothing else', async () => {
    const rows = await someRows();
    if (rows.length === 0) rows.push({ id: 1, isrc: 'TESTS0000001' });
    const reads = await readsOfOutbox(async db => {
      await take(db, lease, rows, { dedupeWindowMs: 1 });
      await take(db, lease, rows, { dedupeWindowMs: 1 });
    });
    expect(reads).toEqual(['Index Scan using ingestion_outbox_pkey']);
  });

  test('settling and handing back look up the rows', async () => {
    const ids = (await someRows()).map(row => row.id);
    const reads = await readsOfOutbox(async db => {
      await settle(db, lease, asScheduled(ids, 1));
      await settle(db, lease, asDuplicates(ids));
      await settle(db, lease, asIndexed(ids, { unsent: true }));
      await settleDead(db, lease, { id: 1, reason: 'refused' }, { dedupeWindowMs: 1 });
      await release(db, lease, ids, { delayMs: 0 });
      await retryLater(db, lease, 1, { delayMs: 0, error: 'refused' });
    });
    expect(reads).not.toContain('Seq Scan');
  });

  test('no statement compares each row with each other', async () => {
    await using relay = connectAsRelay(database.url);
    const rows = await someRows();
    const ids = rows.map(row => row.id);
    const walked = await partsWalkedAgain(relay.sql, async db => {
      await claim(db, { ...batch, also: [1, 2, 3] });
      await take(db, lease, [...rows, { id: 1, isrc: 'TESTS0000001' }], { dedupeWindowMs: 1 });
      await take(db, lease, [...rows, { id: 1, isrc: 'TESTS0000001' }], { dedupeWindowMs: 1 });
      await settle(db, lease, { ...asScheduled(ids, 1), duplicates: [1], indexed: [2], indexedUnsent: [3] });
    });
    expect(walked).toEqual([]);
  });

  test('the figures for people come from an index', async () => {
    const reads = await readsOfOutbox(async db => {
      await readBacklog(db);
      await readRecent(db);
    });
    expect(reads).not.toContain('Seq Scan');
  });
});

describe('a plan that was made for a small outbox', () => {
  const database = useUnwatchedDatabase();

  test('does not read all of a large one', async () => {
    await using relay = connectAsRelay(database.url);
    const { sql } = relay;
    const round = async () => {
      await addRequests(sql, 6, 'pending');
      const { lease, rows } = await claim(sql, batch);
      await take(sql, lease, rows, { dedupeWindowMs: 1 });
      const [scheduled, duplicate, indexed, dead, retried, ...released] = rows.map(row => row.id) as number[];
      await settle(sql, lease, asScheduled([scheduled as number], 1));
      await settle(sql, lease, asDuplicates([duplicate as number]));
      await settle(sql, lease, asIndexed([indexed as number], { unsent: true }));
      await settleDead(sql, lease, { id: dead as number, reason: 'refused' }, { dedupeWindowMs: 1 });
      await retryLater(sql, lease, retried as number, { delayMs: 0, error: 'refused' });
      await release(sql, lease, released, { delayMs: 0 });
      await deleteSettled(sql, { olderThanMs: 3_600_000, after: 0 });
    };
    const scans = async () => {
      await sql`SELECT pg_stat_force_next_flush()`;
      return sql`
        SELECT relname, seq_scan FROM pg_stat_user_tables
        WHERE relname IN ('ingestion_outbox', 'ingestion_ledger') ORDER BY relname`;
    };

    // The sixth time PostgreSQL may settle for a plan for any values.
    for (let times = 0; times < 10; times++) await round();
    await addRequests(sql, many, 'scheduled');
    const before = await scans();
    await round();
    expect(await scans()).toEqual(before);
  });
});
