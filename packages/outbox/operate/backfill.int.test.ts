import { connect } from '@segue/database/connection.ts';
import type { IngestionRequest } from '@segue/ingestion/request.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { newRequest } from '../test/outbox.ts';
import { type BackfillOptions, backfillStep, readUnrequested, stepSize } from './backfill.ts';

const database = useDatabase();
beforeEach(async () => {
  await database.sql`
    TRUNCATE ingestion_outbox, ingestion_ledger, ingestion_meters, ingestion_actions`;
  await database.sql`UPDATE relay_control SET paused_at = NULL`;
});

const recordings = (count: number) => Array.from({ length: count }, () => newRequest());
const step = (given: IngestionRequest[], options: Partial<BackfillOptions> = {}) =>
  backfillStep(database.sql, given, {
    perMinute: 6_000,
    anew: false,
    reason: 'the library is older than the outbox',
    selection: {},
    continues: null,
    ...options,
  });

const requested = async () =>
  (
    await database.sql<
      { isrc: string }[]
    >`SELECT isrc FROM ingestion_outbox WHERE priority = -600 ORDER BY id`
  ).map(({ isrc }) => isrc);
const settle = (status = 'scheduled') =>
  database.sql`UPDATE ingestion_outbox SET status = ${status}, settled_at = now() WHERE settled_at IS NULL`;
/** Time passes for the meter. */
const wait = (seconds: number) =>
  database.sql`UPDATE ingestion_meters SET at = at - ${seconds} * interval '1 second'`;
async function store(row: Record<string, unknown>): Promise<void> {
  await database.sql`INSERT INTO ingestion_outbox ${database.sql({ ...newRequest(), ...row })}`;
}
async function remember(isrc: string, { sentHoursAgo = 0, indexed = false } = {}): Promise<void> {
  await database.sql`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at, indexed_at)
    VALUES (${isrc}, 0, 1, now() - ${sentHoursAgo} * interval '1 hour', ${indexed ? database.sql`now()` : null})`;
}

test('a step requests recordings in the order given, marked as the last that a run is started for', async () => {
  const given = recordings(3);
  expect(await step(given)).toMatchObject({ rows: 3, taken: 3, heldBack: null });
  expect((await requested()).sort()).toEqual(given.map(({ isrc }) => isrc).sort());
});

test('steps record one action with its reason', async () => {
  const first = await step(recordings(2), { actor: 'ada', selection: { artist: 'Miles Davis' } });
  const { actionId } = await step(recordings(3), { continues: first.actionId });
  const actions = await database.sql`
    SELECT id, action, actor, reason, rows, selection, cardinality(outbox_ids) AS ids FROM ingestion_actions`;
  expect(actions).toEqual([
    {
      id: actionId,
      action: 'backfill',
      actor: 'ada',
      reason: 'the library is older than the outbox',
      rows: 5,
      selection: { artist: 'Miles Davis' },
      ids: 5,
    },
  ]);
});

test('a step without a reason is refused', async () => {
  await expect(step(recordings(1), { reason: ' ' })).rejects.toThrow(/say why/);
});

describe('what was requested before is left out', () => {
  test.each<[string, (isrc: string) => Promise<unknown>]>([
    ['an open request', isrc => store({ isrc })],
    ['a settled request', isrc => store({ isrc, status: 'skipped', settled_at: new Date() })],
    ['an entry of the ledger', isrc => remember(isrc)],
  ])('%s', async (_, make) => {
    const [known, unknown] = recordings(2) as [IngestionRequest, IngestionRequest];
    await make(known.isrc);
    expect(await readUnrequested(database.sql, [known.isrc, unknown.isrc], { anew: false })).toEqual(
      new Set([unknown.isrc]),
    );
    expect(await step([known, unknown])).toMatchObject({ rows: 1, taken: 2 });
    expect(await requested()).toEqual([unknown.isrc]);
  });
});

describe('anew', () => {
  test.each<[string, boolean, (isrc: string) => Promise<unknown>]>([
    ['an open request is on its way', false, isrc => store({ isrc })],
    ['what was sent lately is on its way', false, isrc => remember(isrc, { sentHoursAgo: 25 })],
    ['what was sent long ago is requested', true, isrc => remember(isrc, { sentHoursAgo: 27 })],
    [
      'what was sent lately and seen in the index is requested',
      true,
      isrc => remember(isrc, { sentHoursAgo: 1, indexed: true }),
    ],
    [
      'what is settled and long gone is requested',
      true,
      isrc => store({ isrc, status: 'skipped', settled_at: new Date() }),
    ],
  ])('%s', async (_, wanted, make) => {
    const [recording] = recordings(1) as [IngestionRequest];
    await make(recording.isrc);
    expect(await step([recording], { anew: true })).toMatchObject({ rows: wanted ? 1 : 0, taken: 1 });
    expect(await requested()).toEqual(wanted ? [recording.isrc] : []);
  });

  test('the last sending makes the request no duplicate, and the generation stays', async () => {
    const [recording] = recordings(1) as [IngestionRequest];
    await remember(recording.isrc, { sentHoursAgo: 1, indexed: true });
    await step([recording], { anew: true });
    const ledger = await database.sql`
      SELECT sent_at, prior_sent_at, indexed_at, generation FROM ingestion_ledger WHERE isrc = ${recording.isrc}`;
    expect(ledger).toEqual([{ sent_at: null, prior_sent_at: null, indexed_at: null, generation: 1 }]);
  });
});

describe('the meter', () => {
  test('lets one request pass, and the next after its share of a minute', async () => {
    const given = recordings(3);
    expect(await step(given, { perMinute: 10 })).toMatchObject({ rows: 1, taken: 1 });
    await settle();
    const held = await step(given.slice(1), { perMinute: 10 });
    expect(held).toMatchObject({ rows: 0, taken: 0, heldBack: 'meter' });
    expect(held.waitMs).toBeGreaterThan(0);
    expect(held.waitMs).toBeLessThanOrEqual(6_000);
    await wait(6);
    expect(await step(given.slice(1), { perMinute: 10 })).toMatchObject({ rows: 1, taken: 1 });
  });

  test('lets no more than a step pass at once, however fast', async () => {
    const given = recordings(stepSize + 1);
    expect(await step(given, { perMinute: 1_000_000 })).toMatchObject({ rows: stepSize, taken: stepSize });
  });

  test('counts what others request, which goes to the worker first', async () => {
    await step(recordings(1));
    for (let additions = 0; additions < 5; additions++) await store({});
    await settle();
    await wait(30);
    // Six requests are a minute of work, and half of it is over.
    const held = await step(recordings(1), { perMinute: 6 });
    expect(held).toMatchObject({ rows: 0, heldBack: 'meter' });
    expect(held.waitMs).toBeGreaterThan(20_000);
  });

  test('counts nothing that was skipped, which costs the worker nothing', async () => {
    await step(recordings(1), { perMinute: 10 });
    await settle('skipped');
    expect(await step(recordings(1), { perMinute: 10 })).toMatchObject({ rows: 1 });
  });

  test('of two terminals at the same moment the second sees what the first has requested', async () => {
    const given = recordings(5);
    const other = connect({ url: database.url, applicationName: 'segue-test-other', max: 1 });
    try {
      const options = { anew: false, reason: 'both at once', selection: {}, continues: null };
      const both = await Promise.all([
        step(given, { perMinute: 30 }),
        backfillStep(other, given, { ...options, perMinute: 30 }),
      ]);
      expect(both.map(({ rows }) => rows).sort()).toEqual([0, 5]);
      expect(await requested()).toHaveLength(5);
    } finally {
      await other.end();
    }
  });
});

describe('behind all other requests', () => {
  const old = new Date(Date.now() - 60_000);

  test.each<[string, string, () => Promise<unknown>]>([
    ['while sending is paused', 'paused', () => database.sql`UPDATE relay_control SET paused_at = now()`],
    ['while a request waits for a relay', 'backlog', () => store({ created_at: old })],
  ])('nothing is requested %s', async (_, heldBack, make) => {
    await make();
    const held = await step(recordings(1));
    expect(held).toMatchObject({ rows: 0, taken: 0, heldBack });
    expect(held.waitMs).toBeGreaterThan(0);
  });

  test.each<[string, Record<string, unknown>]>([
    ['that was made just now', {}],
    ['that Inngest has refused', { created_at: old, attempts: 1 }],
    ['that somebody has put off', { created_at: old, available_at: new Date(Date.now() + 3_600_000) }],
  ])('a request %s holds nothing up', async (_, row) => {
    await store(row);
    expect(await step(recordings(1))).toMatchObject({ rows: 1, heldBack: null });
  });
});

test('an operator may, and a reader may not', async () => {
  const as = (role: string) =>
    database.sql.begin(async transaction => {
      await transaction`SELECT set_config('role', ${role}, true)`;
      return await backfillStep(transaction, recordings(1), {
        perMinute: 10,
        anew: false,
        reason: 'why',
        selection: {},
        continues: null,
      });
    });
  expect(await as('segue_operator')).toMatchObject({ rows: 1 });
  await expect(as('segue_reader')).rejects.toThrow(/permission denied/);
});
