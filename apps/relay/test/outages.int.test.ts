import { connect } from '@segue/database/connection.ts';
import type { Fault } from '@segue/stand-ins/faults.ts';
import { startInngest } from '@segue/stand-ins/inngest/server.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Breaker } from '../guards/breaker.ts';
import type { BatchReport } from '../reporting/batchReport.ts';
import { newIsrc, useRelays } from './relay.ts';

const here = useRelays();

const idOf = (isrc: string, generation = 1) => `track-ingestion:${isrc}:${generation}`;
const scheduled = { status: 'scheduled', reason: null, attempts: 0, generation: 1, last_error: null };
const some = (count: number) => Array.from({ length: count }, newIsrc);
const asRequests = (isrcs: string[]) => isrcs.map(isrc => ({ isrc }));

describe('R8: an Inngest that is away', () => {
  test.each<[string, Fault]>([
    ['429', { status: 429, headers: { 'retry-after': '0' }, body: 'slower' }],
    [
      '503 with a page',
      { status: 503, headers: { 'content-type': 'text/html' }, body: '<html>later</html>' },
    ],
    ['500', { status: 500 }],
    ['401', { status: 401, body: { status: 401, error: 'Event key not found' } }],
    ['200 with broken JSON', { status: 200, body: '{"ids":' }],
    ['a connection that is reset', 'reset'],
    ['an answer with a NUL in it', { status: 503, body: 'no\u0000thing' }],
  ])('%s: rows wait, no attempt is counted, and all is delivered afterwards', async (_, fault) => {
    let failures = 0;
    here.inngest.answerWith(() => {
      failures++;
      return failures <= 5 ? fault : undefined;
    });
    const isrcs = some(5);
    await here.request(...asRequests(isrcs));
    const { lines, stop } = await here.start({ RELAY_CONCURRENCY: 1 });

    expect(await here.settled()).toMatchObject(isrcs.map(isrc => ({ isrc, ...scheduled })));
    await stop();
    expect(here.sentIds()).toEqual(isrcs.map(isrc => idOf(isrc)));
    const errors = lines.filter(({ event }) => event === 'inngest_error');
    expect(errors).toHaveLength(5);
    for (const line of errors)
      expect(line).toMatchObject({ level: 50, result: 'error', error: expect.any(String) });
    expect(lines.filter(({ event }) => event === 'ingestion_error')).toEqual([]);
  });

  test('refused connections: rows wait, say why, and are delivered once somebody listens', async () => {
    const port = Number(new URL(here.inngest.url).port);
    await here.inngest.close();
    const isrcs = some(30);
    await here.request(...asRequests(isrcs));
    const { lines } = await here.start({ RELAY_CONCURRENCY: 3, RELAY_BATCH_SIZE: 10 });
    const failures = () => lines.filter(({ event }) => event === 'inngest_error');
    await eventually(() => expect(failures().length).toBeGreaterThan(10));
    expect(await here.sql`SELECT sum(attempts)::int FROM ingestion_outbox`).toEqual([{ sum: 0 }]);
    expect(failures()[0]?.error).toContain('ECONNREFUSED');
    // An outage writes nothing.
    expect(await here.sql`SELECT DISTINCT status, last_error FROM ingestion_outbox`).toEqual([
      { status: 'pending', last_error: null },
    ]);

    await using back = await startInngestAgain(port);
    expect(await here.settled()).toMatchObject(isrcs.map(isrc => ({ isrc, ...scheduled })));
    expect(back.ids()).toEqual(isrcs.map(isrc => idOf(isrc)));
  });

  test('an answer that is lost: the events are sent again under the same ids with the same data', async () => {
    let lost = 0;
    here.inngest.answerWith(() => (++lost <= 3 ? 'lose-answer' : undefined));
    const isrcs = some(3);
    await here.request(...asRequests(isrcs));
    await here.start();
    await here.settled();

    const byId = Map.groupBy(here.requestedEvents(), ({ id }) => id);
    expect([...byId.keys()].sort()).toEqual(isrcs.map(isrc => idOf(isrc)));
    for (const events of byId.values()) {
      expect(events.filter(({ startedRun }) => startedRun)).toHaveLength(1);
      expect(new Set(events.map(({ data, ts }) => JSON.stringify({ data, ts }))).size).toBe(1);
    }
  });

  test('while it is away, it is asked by one small batch at a time', async () => {
    const sizes: number[] = [];
    here.inngest.answerWith(request => {
      sizes.push(JSON.parse(request.text()).length);
      return sizes.length <= 6 ? { status: 503 } : undefined;
    });
    await here.request(...asRequests(some(200)));
    await here.start({ RELAY_BATCH_SIZE: 100, RELAY_CONCURRENCY: 1 });
    await here.settled();
    // The batch that found it out, five probes, one that came through, and full batches again.
    expect(sizes.slice(0, 7)).toEqual([100, 10, 10, 10, 10, 10, 10]);
    expect(sizes.length).toBeLessThanOrEqual(10);
  });
});

const stateOf = ({ state, isHeldBack }: Breaker) => ({ state, isHeldBack });

test('an Inngest that keeps a probe waiting is held back still', async () => {
  const probed = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<undefined>();
  let calls = 0;
  here.inngest.answerWith(() => {
    if (++calls === 1) return { status: 503 };
    probed.resolve();
    return answer.promise;
  });
  await here.request({});
  const inngestBreaker = new Breaker({ firstWaitMs: 20, longestWaitMs: 20 });
  await here.start({}, { inngestBreaker });
  await probed.promise;
  expect(stateOf(inngestBreaker)).toEqual({ state: 'probing', isHeldBack: true });
  answer.resolve(undefined);
  await here.settled();
  expect(stateOf(inngestBreaker)).toEqual({ state: 'closed', isHeldBack: false });
});

describe('the database', () => {
  test('drops every connection in the middle of a drain: all is delivered, each once', async () => {
    let calls = 0;
    here.inngest.answerWith(async () => {
      if (++calls % 3 === 0) {
        await here.sql`
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = 'segue-relay'`;
      }
      return undefined;
    });
    const isrcs = some(120);
    await here.request(...asRequests(isrcs));
    await here.start({ RELAY_BATCH_SIZE: 10, RELAY_CONCURRENCY: 3, RELAY_LEASE_MS: 5_000 });

    expect(await here.settled({ timeoutMs: 25_000 })).toMatchObject(
      isrcs.map(isrc => ({ isrc, ...scheduled })),
    );
    expect([...new Set(here.sentIds())]).toEqual(isrcs.map(isrc => idOf(isrc)));
  });

  test('forbids the settlement of one recording: all others are settled, logged and counted', async () => {
    const [isrc, refused] = [newIsrc(), newIsrc()];
    here.inngest.answerWith(request => (request.text().includes(refused) ? { status: 400 } : undefined));
    await here.request({ isrc }, { isrc: refused });
    await here.sql`
      ALTER TABLE ingestion_outbox ADD CONSTRAINT no_refusals CHECK (last_error IS NULL) NOT VALID`;
    const reports: BatchReport[] = [];
    const { lines } = await here.start({}, { onBatch: report => reports.push(report) });
    try {
      await eventually(() =>
        expect(lines.filter(({ event }) => event === 'settlement_blocked')).toMatchObject([
          { isrc: refused },
        ]),
      );
    } finally {
      await here.sql`ALTER TABLE ingestion_outbox DROP CONSTRAINT no_refusals`;
    }
    expect(reports.flatMap(({ scheduled }) => scheduled)).toMatchObject([{ isrc }]);
    here.inngest.answerWith(null);
    // The refusal is written down now, and so the recording has had an attempt.
    expect(await here.settled()).toMatchObject([scheduled, { ...scheduled, attempts: 1 }]);
    expect(lines.filter(({ event }) => event === 'ingestion_scheduled')).toMatchObject([
      { isrc },
      { isrc: refused },
    ]);
  });

  test('keeps one row locked for somebody: its settlement waits, and all others go on', async () => {
    const [locked, ...others] = some(20) as [string, ...string[]];
    const arrived = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<undefined>();
    here.inngest.answerWith(() => {
      arrived.resolve();
      return answer.promise;
    });
    await here.request({ isrc: locked });
    const { lines } = await here.start({ RELAY_BATCH_SIZE: 5 });
    await arrived.promise;

    const terminal = await here.sql.reserve();
    try {
      await terminal`BEGIN`;
      await terminal`SELECT FROM ingestion_outbox FOR UPDATE`;
      answer.resolve(undefined);
      await eventually(() =>
        expect(lines.filter(({ event }) => event === 'settlement_blocked')).toMatchObject([{ isrc: locked }]),
      );
      await here.request(...asRequests(others));
      await eventually(async () => {
        const [open] = await here.sql`SELECT count(*)::int FROM ingestion_outbox WHERE settled_at IS NULL`;
        expect(open?.count).toBe(1);
      });
    } finally {
      await terminal`ROLLBACK`;
      terminal.release();
    }
    expect(await here.settled()).toMatchObject([locked, ...others].map(isrc => ({ isrc, ...scheduled })));
    expect(here.sentIds()).toEqual([locked, ...others].map(isrc => idOf(isrc)));
    // It is told like the others, and last.
    await eventually(() =>
      expect(lines.findLast(({ event }) => event === 'ingestion_scheduled')).toMatchObject({ isrc: locked }),
    );
    expect(lines.filter(({ event }) => event === 'ingestion_scheduled')).toHaveLength(20);
  });

  // Without the patch of postgres.js (`patches/`) a connection that dies with something yet to be written leaves a
  // place in the pool that answers CONNECT_TIMEOUT from then on, after 5 s each, and now and then a query that never
  // ends.
  test('kills all connections again and again: every query ends, and the pool is whole afterwards', async () => {
    const sql = connect({ url: here.url, applicationName: 'victim', max: 4 });
    onTestFinished(() => sql.end({ timeout: 1 }));
    const fourAtOnce = () => Promise.all([1, 2, 3, 4].map(() => sql`SELECT pg_sleep(0.1)`));
    await fourAtOnce();

    const failures: string[] = [];
    let storm = true;
    const work = async () => {
      while (storm) await sql`SELECT pg_sleep(0.005)`.catch(error => failures.push(error.message));
    };
    const workers = Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(work));
    for (let kill = 0; kill < 60; kill++) {
      await here.sql`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'victim'`;
      // Time for the pool to come back, so that each kill meets connections in another state.
      await here.sql`SELECT pg_sleep(0.04)`;
    }
    storm = false;
    await eventually(() => workers, { timeoutMs: 3_000 });
    expect(failures.filter(failure => failure.includes('CONNECT_TIMEOUT'))).toEqual([]);
    await fourAtOnce();
  });
});

describe('a relay that stops', () => {
  test('reads nothing more, and leaves open what it cannot send', async () => {
    const arrived = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<undefined>();
    here.inngest.answerWith(() => {
      arrived.resolve();
      return answer.promise;
    });
    const isrcs = some(30);
    await here.request(...asRequests(isrcs));
    const { stop } = await here.start({ RELAY_BATCH_SIZE: 10, RELAY_CONCURRENCY: 1 });
    await arrived.promise;
    const stopped = stop();
    answer.resolve(undefined);
    await stopped;

    const rows = await here.sql`SELECT status FROM ingestion_outbox ORDER BY settled_at, id`;
    expect(rows.slice(0, 10)).toMatchObject(Array(10).fill({ status: 'scheduled' }));
    expect(rows.slice(10)).toEqual(Array(20).fill({ status: 'pending' }));
  });
});

/** An Inngest where the former one was. */
async function startInngestAgain(port: number) {
  const server = await startInngest({ port });
  return {
    ids: () =>
      server
        .events()
        .map(({ id }) => id)
        .sort(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}
