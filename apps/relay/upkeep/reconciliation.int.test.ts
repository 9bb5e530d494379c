import type { Logger } from '@segue/telemetry/logger.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { createTrackIndex, type TrackIndex } from '@segue/track-index/trackIndex.ts';
import { pino } from 'pino';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Breaker } from '../guards/breaker.ts';
import { collection, useSurroundings } from '../test/surroundings.ts';
import { IndexReconciliation, type ReconciliationOptions } from './reconciliation.ts';

const here = useSurroundings();
beforeEach(async () => {
  await here.sql`TRUNCATE ingestion_reconciled`;
  await here.sql`
    UPDATE relay_reconciliation SET holder = NULL, lease_end = '-infinity', recent = '{}', paused_cause = NULL, paused_at = NULL`;
});

let isrcs = 0;
const newIsrc = () => `RECON${String(++isrcs).padStart(7, '0')}`;

/** A recording that was sent so many hours ago, and seen in the index since. */
async function sent(hoursAgo: number, { seen = false } = {}): Promise<string> {
  const isrc = newIsrc();
  await here.sql`
    WITH request AS (
      INSERT INTO ingestion_outbox (isrc, title, artist, album, status, created_at, settled_at, generation)
      SELECT ${isrc}, 'So What', 'Miles Davis', 'Kind of Blue', 'scheduled', at, at, 1
      FROM (SELECT now() - ${hoursAgo} * interval '1 hour' AS at) AS moment
      RETURNING id, created_at
    )
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at, indexed_at)
    SELECT ${isrc}, id, 1, created_at, CASE WHEN ${seen} THEN created_at + interval '1 minute' END FROM request`;
  return isrc;
}

type Line = { event: string; isrc?: string; reason?: string; msg?: string };

/** A reconciliation on the index of this test, or on one in its place. */
function start(given: Partial<Omit<ReconciliationOptions, 'logger'>> = {}) {
  const lines: Line[] = [];
  const logger = pino({ base: null, timestamp: false }, { write: line => lines.push(JSON.parse(line)) });
  const reconciliation = new IndexReconciliation({
    sql: here.sql,
    index: createTrackIndex({ url: here.qdrant.url, collection, timeoutMs: 2_000 }),
    indexBreaker: new Breaker({ firstWaitMs: 20, longestWaitMs: 20 }),
    logger: logger as unknown as Logger,
    afterMs: 26 * 3_600_000,
    limit: 3,
    perMinute: 10,
    everyMs: 20,
    idleEveryMs: 20,
    wholeEveryMs: 20,
    youngestMs: 0,
    onReconciled: () => undefined,
    ...given,
  });
  reconciliation.start();
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= reconciliation.stop();
    return stopped;
  };
  onTestFinished(stop);
  const events = (name: string) => lines.filter(({ event }) => event === name);
  return { reconciliation, events, stop };
}

const requestedAnew = async () =>
  (
    await here.sql<
      { isrc: string }[]
    >`SELECT isrc FROM ingestion_outbox WHERE settled_at IS NULL ORDER BY isrc`
  ).map(({ isrc }) => isrc);

/** The index as it was asked: how often, and for which recordings. */
function counted(index: TrackIndex) {
  const asked: string[][] = [];
  return {
    asked,
    index: {
      checkTracksExist(isrcs: string[]) {
        asked.push(isrcs);
        return index.checkTracksExist(isrcs);
      },
    },
  };
}
const indexHere = () => createTrackIndex({ url: here.qdrant.url, collection, timeoutMs: 2_000 });

test('a recording that has vanished is requested anew, and said', async () => {
  const [lost, young, arrived] = [await sent(27), await sent(25), await sent(1, { seen: true })];
  await here.qdrant.add(arrived);
  const { events, reconciliation } = start();
  await eventually(async () => expect(await requestedAnew()).toEqual([lost]));
  await eventually(() =>
    expect(events('ingestion_reconciled')).toEqual([
      expect.objectContaining({ isrc: lost, msg: expect.stringContaining('sending 2 of 4 at the most') }),
    ]),
  );
  expect(await requestedAnew()).not.toContain(young);
  expect(reconciliation.paused).toBeNull();
});

test('thousands that were never indexed and have no request any more crowd no other out', async () => {
  const [lost, arrived] = [await sent(27), await sent(1, { seen: true })];
  await here.qdrant.add(arrived);
  await here.sql`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at)
    SELECT 'GONEX' || lpad(n::text, 7, '0'), -n, 1, now() - interval '30 days' FROM generate_series(1, 2500) AS n`;
  start();
  await eventually(async () => expect(await requestedAnew()).toEqual([lost]));
});

test('one that never arrives is given up, and said with its reason', async () => {
  const [lost, arrived] = [await sent(27), await sent(1, { seen: true })];
  await here.qdrant.add(arrived);
  await here.sql`INSERT INTO ingestion_reconciled (isrc, times) VALUES (${lost}, 3)`;
  const { events } = start();
  await eventually(() =>
    expect(events('ingestion_never_indexed')).toEqual([
      expect.objectContaining({ isrc: lost, reason: 'sent 4 times, never indexed' }),
    ]),
  );
  expect(await requestedAnew()).toEqual([]);
});

test('what has reached the index is learned however long ago it was sent', async () => {
  const late = await sent(6 * 24);
  await here.qdrant.add(late);
  start();
  await eventually(async () => {
    const [entry] =
      await here.sql`SELECT indexed_at >= sent_at AS seen FROM ingestion_ledger WHERE isrc = ${late}`;
    expect(entry?.seen).toBe(true);
  });
});

test('an index that cannot be asked pauses it, which is said once, until it answers', async () => {
  const [lost, arrived] = [await sent(27), await sent(1, { seen: true })];
  await here.qdrant.add(arrived);
  let asked = 0;
  here.qdrant.answerWith(() => {
    asked++;
    return { status: 500 };
  });
  const { events, reconciliation } = start();
  await eventually(() => expect(asked).toBeGreaterThan(3));
  await eventually(() => expect(reconciliation.paused).toMatchObject({ cause: 'index_unavailable' }));
  expect(await requestedAnew()).toEqual([]);

  here.qdrant.answerWith(null);
  await eventually(async () => expect(await requestedAnew()).toEqual([lost]));
  await eventually(() => expect(events('reconciliation_resumed')).toHaveLength(1));
  expect(events('reconciliation_paused')).toEqual([
    expect.objectContaining({
      reason: 'index_unavailable',
      msg: expect.stringMatching(/^reconciliation paused: the index cannot be asked: /),
    }),
  ]);
});

test('an index that was wiped pauses it', async () => {
  await sent(27);
  const there = await Promise.all([1, 2, 3].map(() => sent(1, { seen: true })));
  await here.qdrant.add(there[0] as string);
  const { events, reconciliation } = start();
  await eventually(() => expect(events('reconciliation_paused')).toMatchObject([{ reason: 'index_wiped' }]));
  expect(reconciliation.paused?.reason).toMatch(/^2 of 3 recordings .* `outbox reindex`/);
  expect(await requestedAnew()).toEqual([]);
});

test('a worker that is behind pauses it, until something that was sent later has arrived', async () => {
  const [lost, arrived] = [await sent(27), await sent(30, { seen: true })];
  await here.qdrant.add(arrived);
  const { events } = start();
  await eventually(() =>
    expect(events('reconciliation_paused')).toMatchObject([{ reason: 'worker_behind' }]),
  );
  expect(await requestedAnew()).toEqual([]);

  await here.qdrant.add(await sent(2));
  await eventually(async () => expect(await requestedAnew()).toEqual([lost]));
});

test('what arrives between the sweep and the sending is not sent anew', async () => {
  const [lost, arrived] = [await sent(27), await sent(1, { seen: true })];
  await here.qdrant.add(arrived);
  const { asked, index } = counted(indexHere());
  const { stop } = start({
    index: {
      async checkTracksExist(isrcs) {
        const answer = await index.checkTracksExist(isrcs);
        // It arrives behind the question that shows that the index was not wiped.
        if (isrcs.includes(arrived)) await here.qdrant.add(lost);
        return answer;
      },
    },
  });
  await eventually(() => expect(asked.length).toBeGreaterThan(2));
  await stop();
  expect(asked.slice(0, 3)).toEqual([[lost], [arrived], [lost]]);
  expect(await requestedAnew()).toEqual([]);
});

test('one relay compares at a time, and another goes on when it stops', async () => {
  await sent(1);
  const [one, two] = [counted(indexHere()), counted(indexHere())];
  const first = start({ index: one.index });
  await eventually(() => expect(one.asked.length).toBeGreaterThan(0));
  start({ index: two.index });
  const before = one.asked.length;
  await eventually(() => expect(one.asked.length).toBeGreaterThan(before + 5));
  expect(two.asked).toEqual([]);
  await first.stop();
  await eventually(() => expect(two.asked.length).toBeGreaterThan(0));
});

test('with 0 a minute nothing is sent anew, and what arrives is learned', async () => {
  const [, late] = [await sent(30), await sent(28), await here.qdrant.add(await sent(1, { seen: true }))];
  await here.qdrant.add(late);
  const { asked, index } = counted(indexHere());
  const { stop } = start({ index, perMinute: 0 });
  await eventually(() => expect(asked.length).toBeGreaterThan(2));
  await stop();
  expect(await requestedAnew()).toEqual([]);
  expect(await here.sql`SELECT isrc FROM ingestion_ledger WHERE indexed_at IS NULL`).toHaveLength(1);
});

describe('what was sent and has reached the index', () => {
  const seen = async () =>
    (
      await here.sql<
        { isrc: string }[]
      >`SELECT isrc FROM ingestion_ledger WHERE indexed_at IS NOT NULL ORDER BY isrc`
    ).map(({ isrc }) => isrc);

  test('is noted, over all pages, and not asked for again', async () => {
    await here.sql`
      INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at)
      SELECT 'PAGES' || lpad(n::text, 7, '0'), 1, 1, now() - interval '1 hour' FROM generate_series(1, 2300) AS n`;
    const { asked, index } = counted({
      checkTracksExist: async isrcs => new Map(isrcs.map(isrc => [isrc, Number(isrc.slice(5)) % 2 === 0])),
    });
    start({ index });
    await eventually(async () => expect(await seen()).toHaveLength(1_150));
    asked.splice(0);
    await eventually(() => expect(asked.length).toBeGreaterThan(2));
    expect(asked.flat().filter(isrc => Number(isrc.slice(5)) % 2 === 0)).toEqual([]);
  });

  test('is noted a week later, behind 30,000 recordings that wait for theirs', async () => {
    await here.sql`
      INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at)
      SELECT 'QUEUE' || lpad(n::text, 7, '0'), 1, 1, now() - interval '1 hour' FROM generate_series(1, 30000) AS n`;
    const late = await sent(7 * 24);
    start({ index: { checkTracksExist: async isrcs => new Map(isrcs.map(isrc => [isrc, isrc === late])) } });
    await eventually(async () => expect(await seen()).toEqual([late]));
  });

  test('is looked for soon when this relay has sent it, and rarely otherwise', async () => {
    const { asked, index } = counted(indexHere());
    const { reconciliation } = start({ index, idleEveryMs: 3_600_000, wholeEveryMs: 3_600_000 });
    // The first look finds nothing.
    await eventually(async () => {
      const [turn] = await here.sql`SELECT holder FROM relay_reconciliation`;
      expect(turn?.holder).not.toBeNull();
    });
    await sent(0.01);
    const isrc = await sent(0.01);
    await here.qdrant.add(isrc);
    reconciliation.sent();
    await eventually(async () => expect(await seen()).toEqual([isrc]));
    // What has not arrived is waited for.
    const before = asked.length;
    await eventually(() => expect(asked.length).toBeGreaterThan(before + 3));
  });

  test('is not asked for while the index is away, and is when the index may be asked, though no row comes by', async () => {
    const isrc = await sent(1);
    await here.qdrant.add(isrc);
    const { asked, index } = counted(indexHere());
    const indexBreaker = new Breaker({ firstWaitMs: 100, longestWaitMs: 100 });
    indexBreaker.failed();
    start({ index, indexBreaker });
    expect(asked).toEqual([]);
    await eventually(async () => expect(await seen()).toEqual([isrc]));
    expect(indexBreaker.state).toBe('closed');
  });

  test('an index that is still away is given another wait, for the rows as well', async () => {
    await sent(1);
    const indexBreaker = new Breaker({ firstWaitMs: 1, longestWaitMs: 1 });
    const failed = vi.spyOn(indexBreaker, 'failed');
    indexBreaker.failed();
    start({ index: { checkTracksExist: () => Promise.reject(new Error('away')) }, indexBreaker });
    await eventually(() => expect(failed.mock.calls.length).toBeGreaterThan(2));
    expect(indexBreaker.state).not.toBe('closed');
  });
});
