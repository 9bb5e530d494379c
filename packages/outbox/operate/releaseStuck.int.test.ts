import { randomUUID } from 'node:crypto';
import { useDatabase } from '@segue/testing/database.ts';
import { beforeEach, expect, test } from 'vitest';
import { act } from './act.ts';
import { findingsOf, readOverview } from './findings.ts';

const database = useDatabase();
beforeEach(async () => {
  await database.sql`TRUNCATE relays`;
  await database.sql`UPDATE relay_slots SET owner = NULL, epoch = 7, lease_end = '-infinity'`;
});

const reason = 'the relay was cut off';
const release = (force = false) =>
  act(database.sql, { kind: 'release_stuck', force }, { selection: { all: true }, reason });

/** A relay that owns the slots 0 and 1. */
async function relay({ silent = '0 s', lease = '5 s', state = 'running', known = true } = {}): Promise<void> {
  const id = randomUUID();
  if (known) {
    await database.sql`
      INSERT INTO relays (id, host, version, last_heartbeat, state)
      VALUES (${id}, 'box', '0.1.0', now() - ${silent}::interval, ${state})`;
  }
  await database.sql`
    UPDATE relay_slots SET owner = ${id}, lease_end = now() + ${lease}::interval WHERE slot IN (0, 1)`;
}

const freed = async () =>
  (await database.sql`SELECT FROM relay_slots WHERE slot IN (0, 1) AND owner IS NULL AND epoch = 8`).length;

test.each([
  ['of a relay that hangs', { silent: '5 minutes', lease: '20 minutes' }],
  ['of a relay that stopped', { state: 'stopped' }],
  ['of a relay that nobody knows', { known: false }],
  ['of which the lease ends in years', { lease: '2 years' }],
  ['of which the lease has ended and nobody came', { lease: '-1 minute' }],
])('slots %s are freed, and the epoch of their owner is over', async (_, given) => {
  await relay(given);
  expect(await release()).toMatchObject({ rows: 2 });
  expect(await freed()).toBe(2);
});

test('slots of a relay that is alive are refused, unless by force', async () => {
  await relay();
  await expect(release()).rejects.toThrow(/slot 0 is held by the relay .* it is not stuck/);
  expect(await freed()).toBe(0);
  expect(await release(true)).toMatchObject({ rows: 2 });
});

test('the slots of a request are freed alone', async () => {
  await relay({ state: 'stopped' });
  const [request] = await database.sql<[{ id: number; slot: number }]>`
    INSERT INTO ingestion_outbox (isrc, title, artist, album)
    SELECT isrc, 'a', 'b', 'c' FROM (SELECT 'TESTS' || lpad(n::text, 7, '0') AS isrc FROM generate_series(1, 1000) AS n) AS all_isrcs
    WHERE recording_slot(isrc) = 1 LIMIT 1
    RETURNING id, recording_slot(isrc) AS slot`;
  const step = await act(
    database.sql,
    { kind: 'release_stuck' },
    { selection: { ids: [request.id] }, reason },
  );
  expect(step).toMatchObject({ rows: 1 });
  expect(await freed()).toBe(1);
});

test('an overview names what needs a person', async () => {
  expect((await readOverview(database.sql)).findings).toMatchObject([{ kind: 'no_relay' }]);
  await relay({ silent: '0 s' });
  expect((await readOverview(database.sql)).findings).toEqual([]);
  await relay({ known: false });
  expect((await readOverview(database.sql)).findings).toMatchObject([{ kind: 'stuck_slots' }]);
});

test('a paused reconciliation is a finding with its reason', async () => {
  await relay({ silent: '0 s' });
  await database.sql`
    UPDATE relay_reconciliation SET paused_at = to_timestamp(0), paused_cause = 'index_wiped', paused_reason = 'the index was wiped'`;
  expect((await readOverview(database.sql)).findings).toEqual([
    {
      kind: 'reconciliation_paused',
      severity: 'warning',
      summary: 'reconciliation paused since 1970-01-01T00:00:00.000Z: the index was wiped',
      remedy: 'outbox reindex --reason "…" (docs/runbook/qdrant-lost.md)',
    },
  ]);
  await database.sql`UPDATE relay_reconciliation SET paused_cause = NULL, paused_at = NULL`;
  expect((await readOverview(database.sql)).findings).toEqual([]);
});

test('a stalled outbox is a finding, a paused one is told as paused alone', () => {
  const backlog = { open: 3, waiting: 0, oldestSeconds: 90, oldestDueSeconds: 90, dead: 0, diedLastHour: 0 };
  const relays = [
    {
      id: 'a',
      host: 'h',
      version: '1',
      state: 'running' as const,
      since: new Date(),
      silentSeconds: 1,
      slots: 32,
    },
  ];
  const state = { backlog, relays, slots: { unowned: 0, stuck: 0 } };
  expect(findingsOf({ ...state, sending: { paused: null } })).toMatchObject([{ kind: 'stalled' }]);
  const paused = { at: new Date(0), by: 'ada', reason: 'a deploy' };
  expect(findingsOf({ ...state, sending: { paused } })).toMatchObject([
    { kind: 'paused', summary: 'sending is paused since 1970-01-01T00:00:00.000Z by ada: a deploy' },
  ]);
});
