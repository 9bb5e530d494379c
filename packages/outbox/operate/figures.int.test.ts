import { connect, type Sql } from '@segue/database/connection.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { plannerSettings } from '../plannerSettings.ts';
import { accessesOf } from '../test/plans.ts';
import { readOutboxFigures, readStateFigures } from './figures.ts';

const database = useDatabase();
beforeEach(async () => {
  await database.sql`TRUNCATE ingestion_outbox, relays`;
});

const request = { isrc: 'USRC17607839', title: 'So What', artist: 'Miles Davis', album: 'Kind of Blue' };

const hourAgo = () => new Date(Date.now() - 3_600_000);
const hourHence = () => new Date(Date.now() + 3_600_000);

/** Open rows in the order of their ids; every `settledEach`th is settled. */
function addRows(count: number, { settledEach = 0 } = {}) {
  return database.sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, created_at, status, settled_at)
    SELECT 'TE' || lpad(n::text, 10, '0'), 'So What', 'Miles Davis', 'Kind of Blue', now() + n * interval '1 microsecond',
      CASE WHEN n % nullif(${settledEach}::int, 0) = 0 THEN 'scheduled' ELSE 'pending' END,
      CASE WHEN n % nullif(${settledEach}::int, 0) = 0 THEN now() END
    FROM generate_series(1, ${count}::int) AS n`;
}

describe('the figures of the outbox', () => {
  test('are all 0 while it is empty', async () => {
    expect(await readOutboxFigures(database.sql)).toEqual({
      rows: { due: 0, waiting: 0, dead: 0 },
      oldestSeconds: 0,
      oldestDueSeconds: 0,
    });
  });

  test('tell rows that are due from those that wait, and from dead ones', async () => {
    const rowsOf = [
      { created_at: hourAgo(), available_at: hourHence() },
      { created_at: hourAgo(), available_at: new Date(Date.now() - 60_000) },
      {},
      { status: 'dead', settled_at: new Date() },
      { status: 'scheduled', settled_at: new Date() },
    ];
    for (const row of rowsOf) {
      await database.sql`INSERT INTO ingestion_outbox ${database.sql({ ...request, ...row })}`;
    }
    const { rows, oldestSeconds, oldestDueSeconds } = await readOutboxFigures(database.sql);
    expect(rows).toEqual({ due: 2, waiting: 1, dead: 1 });
    expect(Math.round(oldestSeconds / 60)).toBe(60);
    expect(Math.round(oldestDueSeconds / 60)).toBe(1);
  });

  test('are estimated beyond 5,000 open rows', async () => {
    await addRows(100_000);
    const { rows } = await readOutboxFigures(database.sql);
    expect(rows.due).toBeGreaterThan(99_000);
    expect(rows.due).toBeLessThan(101_000);
  });

  test('count no settled row among those beyond', async () => {
    await addRows(100_000, { settledEach: 2 });
    const { rows } = await readOutboxFigures(database.sql);
    expect(rows.due).toBeGreaterThan(40_000);
    expect(rows.due).toBeLessThan(60_000);
  });

  test('visit no more rows of 200,000 open ones than of 20,000', async () => {
    await addRows(20_000);
    expect(await rowsVisited()).toBeLessThan(5_500);
    await addRows(180_000);
    expect(await rowsVisited()).toBeLessThan(5_500);
  });

  test('visit no more rows of a burst that came after statistics without any open row', async () => {
    await addRows(50_000, { settledEach: 1 });
    await database.sql`VACUUM (ANALYZE) ingestion_outbox`;
    await addRows(50_000);
    expect(await rowsVisited()).toBeLessThan(5_500);
  });

  test.each(['relay', 'plain'])(
    'walk the index of open rows and look up the others (%s session)',
    async kind => {
      await addRows(50_000);
      await database.sql`ANALYZE ingestion_outbox`;
      const sql = relaySession(kind === 'relay' ? plannerSettings : {});
      const reads = (await accessesOf(sql, readOutboxFigures)).map(({ how, table }) => `${table}: ${how}`);
      expect([...new Set(reads)].sort()).toEqual([
        'ingestion_outbox: Index Only Scan using ingestion_outbox_dead_by_age',
        'ingestion_outbox: Index Only Scan using ingestion_outbox_open',
        'ingestion_outbox: Index Scan using ingestion_outbox_open',
        'ingestion_outbox: Index Scan using ingestion_outbox_pkey',
      ]);
    },
  );
});

/** A session as a relay has it. */
function relaySession(settings: Record<string, string> = plannerSettings): Sql {
  const sql = connect({ url: database.url, applicationName: 'relay', max: 1, settings });
  onTestFinished(() => sql.end());
  return sql;
}

/** How many rows of the outbox PostgreSQL visits to read the figures. */
function rowsVisited(): Promise<number> {
  return relaySession().begin(async transaction => {
    await readOutboxFigures(transaction);
    const [table] = await transaction<[{ rows: number }]>`
      SELECT seq_tup_read + idx_tup_fetch AS rows FROM pg_stat_xact_user_tables WHERE relname = 'ingestion_outbox'`;
    return table.rows;
  });
}

describe('the figures of the state', () => {
  test('count relays that live, and slots that somebody owns', async () => {
    await database.sql`
      INSERT INTO relays (id, host, version, state, last_heartbeat)
      VALUES (gen_random_uuid(), 'a', '1', 'running', now()), (gen_random_uuid(), 'b', '1', 'held_back', now()),
        (gen_random_uuid(), 'c', '1', 'running', now() - interval '1 minute'), (gen_random_uuid(), 'd', '1', 'stopped', now())`;
    await database.sql`
      UPDATE relay_slots SET owner = gen_random_uuid(), lease_end = now() + interval '1 minute' WHERE slot < 3`;
    const figures = await readStateFigures(database.sql);
    expect(figures).toMatchObject({
      paused: false,
      relays: { running: 1, held_back: 1 },
      slots: { owned: 3, unowned: 29 },
    });
    expect(Math.abs(figures.nowMs - Date.now())).toBeLessThan(60_000);
  });

  test('say that sending is paused', async () => {
    await database.sql`SELECT ingestion_outbox_pause('a test')`;
    onTestFinished(async () => void (await database.sql`SELECT ingestion_outbox_resume('a test')`));
    expect((await readStateFigures(database.sql)).paused).toBe(true);
  });
});
