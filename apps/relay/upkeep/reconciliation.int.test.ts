import type { Logger } from '@segue/telemetry/logger.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { createTrackIndex, type TrackIndex } from '@segue/track-index/trackIndex.ts';
import { pino } from 'pino';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
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
function start(given: Partial<ReconciliationOptions> = {}) {
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
        // It arrives behind the first question.
        if (asked.length === 1) await here.qdrant.add(lost);
        return answer;
      },
    },
  });
  await eventually(() => expect(asked.length).toBeGreaterThan(2));
  await stop();
  expect(asked[1]).toEqual([lost]);
  expect(await requestedAnew()).toEqual([]);
});

test('one relay compares at a time, and another goes on when it stops', async () => {
  await here.qdrant.add(await sent(1, { seen: true }));
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
