import { connect, type Queryable, type Sql } from '@segue/database/connection.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { beforeAll, describe, expect, test } from 'vitest';
import { readBacklog } from '../operate/backlog.ts';
import { countFor } from '../operate/count.ts';
import { find } from '../operate/find.ts';
import { readGlance } from '../operate/glance.ts';
import { readRecording } from '../operate/recording.ts';
import { plannerSettings } from '../plannerSettings.ts';
import { readForced, readPlain } from '../readOpen.ts';
import { deleteSettled } from '../retain.ts';
import type { RowOutcome } from '../settle.ts';
import { outcomeOf, TestRelay } from './outbox.ts';
import { type Access, accessesOf, countOf, partsWalkedAgain } from './plans.ts';

/** Rows a batch, as the relay has it. */
const batchSize = 500;
const many = 200_000;
const batch = { limit: batchSize, perSlot: Math.ceil(batchSize / 32) };

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
  const sql = connect({ url, applicationName: 'relay', max: 1, settings: plannerSettings });
  return { sql, [Symbol.asyncDispose]: () => sql.end() };
}

function addRequests(db: Queryable, count: number, status: string) {
  return db`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, status, settled_at)
    SELECT upper(left(md5(n || ${status}), 12)), 'So What', 'Miles Davis', 'Kind of Blue', ${status},
      CASE ${status} WHEN 'pending' THEN NULL ELSE now() END
    FROM generate_series(1, ${count}::int) AS n`;
}

/** Many settled requests, and what the ledger knows of them. */
async function addHistory(db: Queryable): Promise<void> {
  await addRequests(db, many, 'scheduled');
  await db`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at)
    SELECT isrc, id, 1, now() FROM ingestion_outbox`;
}

type Work = (db: Queryable, relay: TestRelay) => Promise<unknown>;

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
      await addHistory(db);
      await addRequests(db, 20, 'pending');
      await db`ANALYZE ingestion_outbox, ingestion_ledger`;
    },
  ],
  [
    'with a burst after the statistics were taken while nothing was open',
    ['custom', 'generic'],
    async db => {
      await addHistory(db);
      await db`VACUUM (ANALYZE) ingestion_outbox, ingestion_ledger`;
      await addRequests(db, 20_000, 'pending');
    },
  ],
];

describe.each(states)('%s', (_, plans, fill) => {
  const database = useUnwatchedDatabase();
  beforeAll(() => fill(database.sql));

  /** As many as a batch has, the newest; at least one, that may not exist. */
  async function someOutcomes(): Promise<RowOutcome[]> {
    const rows = await database.sql<{ id: string; isrc: string; slot: number }[]>`
      SELECT id::text, isrc, recording_slot(isrc) AS slot FROM ingestion_outbox ORDER BY id DESC LIMIT ${batchSize}`;
    const named = rows.length > 0 ? rows : [{ id: '1', isrc: 'TESTS0000001', slot: 1 }];
    return named.map(row => ({ ...row, as: 'sent', leads: true, generation: 1 }));
  }

  /** A relay that owns all slots, on sessions as a relay has them. */
  async function owner(sql: Sql): Promise<TestRelay> {
    await database.sql`UPDATE relay_slots SET owner = NULL, lease_end = '-infinity'`;
    const relay = new TestRelay(sql);
    await relay.beat();
    return relay;
  }

  async function accessesOfTables(work: Work): Promise<Access[]> {
    await using session = connectAsRelay(database.url);
    const relay = await owner(session.sql);
    const accesses = await accessesOf(session.sql, db => work(db, relay.on(db)));
    return accesses.filter(({ plan }) => plans.includes(plan));
  }

  /** How the work reads the outbox, each way once. */
  async function readsOfOutbox(work: Work): Promise<string[]> {
    const accesses = await accessesOfTables(work);
    const reads = accesses.filter(({ table }) => table === 'ingestion_outbox').map(({ how }) => how);
    // An empty list of ids implies any condition, that of this index, too.
    return [...new Set(reads.filter(how => !how.endsWith('ingestion_outbox_dead_by_age')))].sort();
  }

  test('a read walks the index of open rows by slot in its order, and looks recordings up in the ledger', async () => {
    const starts = [
      { slot: 1 },
      { slot: 2, after: { availableAt: '2026-01-01 00:00:00+00', id: '1' } },
      { slot: 3 },
    ];
    const accesses = await accessesOfTables(async (_, relay) => {
      await relay.read(batch);
      await relay.read({ ...batch, starts, without: ['TESTS0000001', 'TESTS0000002'] });
    });
    const reads = new Set(accesses.map(({ table, how }) => `${table}: ${how}`));
    expect([...reads].filter(read => !read.startsWith('relay_control')).sort()).toEqual([
      'ingestion_ledger: Index Scan using ingestion_ledger_pkey',
      'ingestion_outbox: Index Scan using ingestion_outbox_open_by_slot',
    ]);
  });

  test('the requests for one recording are found in the index of open rows by slot', async () => {
    const reads = await readsOfOutbox(async db => {
      await readForced(db, [{ slot: 1, isrc: 'TESTS0000001' }]);
      await readPlain(db, [{ slot: 1, isrc: 'TESTS0000001' }], { dedupeWindowMs: 3_600_000 });
    });
    expect(reads).toEqual(['Index Scan using ingestion_outbox_open_by_slot']);
  });

  test('the slots of many recordings are walked once, not for each of them', async () => {
    await using relay = connectAsRelay(database.url);
    const { sql } = relay;
    const recordings = Array.from({ length: 300 }, (_, n) => ({
      slot: n % 32,
      isrc: `TESTS${String(n).padStart(7, '0')}`,
    }));
    const walks = async () => {
      await sql`SELECT pg_stat_force_next_flush()`;
      const [index] = await sql<[{ walks: number }]>`
        SELECT idx_scan::int AS walks FROM pg_stat_user_indexes WHERE indexrelname = 'ingestion_outbox_open_by_slot'`;
      return index.walks;
    };
    const before = await walks();
    // The sixth time PostgreSQL may settle for a plan for any values.
    for (let times = 0; times < 10; times++) {
      await readForced(sql, recordings);
      await readPlain(sql, recordings, { dedupeWindowMs: 3_600_000 });
    }
    // Each slot of a list counts as one.
    expect((await walks()) - before).toBeLessThanOrEqual(10 * 2 * 32);
  });

  test('the requests for one recording are found without the index of all open rows, for people too', async () => {
    const isrc = 'TESTS0000001';
    const walks = `pg_stat_get_xact_numscans('ingestion_outbox_open'::regclass)`;
    await using session = connectAsRelay(database.url);
    const walked = await countOf(session.sql, walks, async db => {
      await find(db, { filter: { isrc } });
      await readRecording(db, isrc);
      await countFor(db, { kind: 'reschedule', at: 'now' }, { isrcs: [isrc] }, 100);
    });
    expect(walked).toBe(0);
  });

  test('a settlement looks up the rows by their ids', async () => {
    const outcomes = await someOutcomes();
    const reads = await readsOfOutbox((_, relay) => relay.settle(outcomes));
    expect(reads).toEqual(['Index Scan using ingestion_outbox_pkey']);
  });

  test('no statement compares each row with each other', async () => {
    await using session = connectAsRelay(database.url);
    const relay = await owner(session.sql);
    const outcomes = await someOutcomes();
    const walked = await partsWalkedAgain(session.sql, async db => {
      await relay.on(db).read({ ...batch, without: ['TESTS0000001'] });
      await relay.on(db).settle(outcomes);
    });
    expect(walked).toEqual([]);
  });

  test('the figures for people come from an index', async () => {
    const reads = await readsOfOutbox(async db => {
      await readBacklog(db);
      await readGlance(db);
    });
    expect(reads).not.toContain('Seq Scan');
  });
});

describe('a plan that was made for a small outbox', () => {
  const database = useUnwatchedDatabase();

  test('does not read all of a large one', async () => {
    await using relay = connectAsRelay(database.url);
    const { sql } = relay;
    const owner = new TestRelay(sql);
    await owner.beat();
    const round = async () => {
      await addRequests(sql, 6, 'pending');
      const rows = await owner.read(batch);
      const outcomes = ['sent', 'duplicate', 'indexed', 'dead', 'refused', 'sent'] as const;
      await owner.settle(
        rows.map((row, place) =>
          outcomeOf(row, { as: outcomes[place] ?? 'sent', error: 'refused', delayMs: 0 }),
        ),
      );
      await readForced(sql, [{ slot: 1, isrc: 'TESTS0000001' }]);
      await readPlain(sql, [{ slot: 1, isrc: 'TESTS0000001' }], { dedupeWindowMs: 3_600_000 });
      await owner.beat();
      await deleteSettled(sql, { olderThanMs: 3_600_000, after: null });
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
