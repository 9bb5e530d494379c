import type { Sql } from '@segue/database/connection.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Breaker } from './guards/breaker.ts';
import { Poller } from './reading/poller.ts';
import { RecordingsInHand } from './reading/recordingsInHand.ts';
import { Relay } from './relay.ts';
import { openRow } from './test/rows.ts';

const row = openRow();

/** A relay whose database has the rows that are put there, and whose Inngest answers when it is told to. */
function start() {
  const open: object[] = [];
  const lease = { isLate: false, looks: 0 };
  let answer = Promise.withResolvers<void>();
  let calls = 0;
  const poller = new Poller({ pollIntervalMs: 10 });
  const breakers = { firstWaitMs: 10, longestWaitMs: 10 };
  // Of a statement, only reading has rows; settling answers that all was written.
  const sql = ((strings: TemplateStringsArray | string) =>
    typeof strings === 'string' || !strings.raw.join('').includes('SELECT')
      ? {}
      : strings.raw.join('').includes('WITH fence')
        ? Promise.resolve([{ heldSlots: null, writtenIds: null, closed: null }])
        : Promise.resolve(open.splice(0))) as unknown as Sql;
  const relay = new Relay({
    sql,
    logger: pino({ level: 'silent' }) as unknown as Logger,
    poller,
    inHand: new RecordingsInHand(),
    keeper: {
      id: '00000000-0000-0000-0000-000000000000',
      slots: () => new Map([[1, 1]]),
      get mayCall() {
        lease.looks++;
        return !lease.isLate;
      },
      released: () => undefined,
      lost: () => undefined,
    },
    index: { checkTracksExist: async () => new Map() },
    indexBreaker: new Breaker(breakers),
    async sender() {
      calls++;
      await answer.promise;
      return { kind: 'accepted' };
    },
    inngestBreaker: new Breaker(breakers),
    sweepEveryMs: 10,
    batchSize: 10,
    concurrency: 1,
    maxAttempts: 3,
    dedupeWindowMs: 1_000,
  });
  relay.start();
  onTestFinished(() => {
    answer.resolve();
    return relay.stop();
  });
  return {
    relay,
    lease,
    calls: () => calls,
    /** Requests that nobody has read. */
    unread: () => open.length,
    request() {
      open.push(row);
      poller.hint();
    },
    answer() {
      answer.resolve();
      answer = Promise.withResolvers();
    },
  };
}

/** Lets so many ms go by on the clock that counts a stall, and on no other. */
function timeTravel() {
  const now = performance.now.bind(performance);
  let ahead = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
  onTestFinished(() => clock.mockRestore());
  return (ms: number) => {
    ahead += ms;
  };
}

test('a relay that was idle for long makes progress when its next batch begins', async () => {
  const pass = timeTravel();
  const { relay, request, calls } = start();
  pass(60_000);
  request();
  await eventually(() => expect(calls()).toBe(1));
  expect(relay.batchesUnderWay).toBe(1);
  expect(relay.makesProgress).toBe(true);
});

test('a relay in which nothing has ended for 20 s makes none, until something ends', async () => {
  const pass = timeTravel();
  const { relay, request, calls, answer } = start();
  request();
  await eventually(() => expect(calls()).toBe(1));
  pass(19_000);
  expect(relay.makesProgress).toBe(true);
  pass(2_000);
  expect(relay.makesProgress).toBe(false);
  answer();
  await eventually(() => expect(relay.batchesUnderWay).toBe(0));
  expect(relay.makesProgress).toBe(true);
});

test('a stop gives up what does not end, however it hangs', async () => {
  const { relay, request, calls } = start();
  request();
  await eventually(() => expect(calls()).toBe(1));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const stopped = relay.stop();
  await vi.advanceTimersByTimeAsync(6_000);
  await stopped;
  expect(relay.batchesUnderWay).toBe(1);
});

test('in the last quarter of a lease nothing is read, since no call may begin', async () => {
  const { lease, request, unread, calls } = start();
  lease.isLate = true;
  await eventually(() => expect(lease.looks).toBeGreaterThan(1));
  request();
  const before = lease.looks;
  await eventually(() => expect(lease.looks).toBeGreaterThan(before + 2));
  expect(unread()).toBe(1);
  lease.isLate = false;
  await eventually(() => expect([unread(), calls()]).toEqual([0, 1]));
});
