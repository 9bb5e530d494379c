import { describe, expect, test } from 'vitest';
import { createTestClock, type TestClock } from '../test/clock.ts';
import { document, itemsPage, track } from '../test/documents.ts';
import { tokenBucket } from '../test/rateLimit.ts';
import { startTidalServer, type TidalServer } from '../test/tidalServer.ts';
import { createPace, type Pace } from './pace.ts';

const limit = (remaining: number, cost = 5, rate = 1, capacity = 10) => ({
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-burst-capacity': String(capacity),
  'x-ratelimit-replenish-rate': String(rate),
  'x-ratelimit-requested-tokens': String(cost),
});

function paceOf(requestsPerSecond?: number) {
  const clock = createTestClock();
  clock.advance(1);
  return { clock, pace: createPace({ requestsPerSecond, clock }) };
}

/** One request that is alone, and takes no time. */
function request(pace: Pace, clock: TestClock, status: number, headers: Record<string, string> = {}): void {
  pace.start();
  clock.advance(1);
  const answer = new Response(null, { status, headers });
  pace.learn(answer, { startedAt: clock.now(), others: 0, alone: true });
}

describe("TIDAL's headers", () => {
  test('say when the next request may start', () => {
    const { clock, pace } = paceOf();
    request(pace, clock, 200, limit(5));
    expect(pace.delayMs(false)).toBe(0);
    request(pace, clock, 200, limit(0));
    expect(pace.delayMs(false)).toBe(5_000);
    clock.advance(2_000);
    expect(pace.delayMs(false)).toBe(3_000);
    clock.advance(60_000);
    expect(pace.delayMs(false)).toBe(0);
  });

  test('leave the tokens of one request to people', () => {
    const { clock, pace } = paceOf();
    request(pace, clock, 200, limit(5));
    expect([pace.delayMs(false), pace.delayMs(true)]).toEqual([0, 5_000]);
    request(pace, clock, 200, limit(3, 5, 1, 5));
    // A bucket of no more than one request has nothing to leave.
    expect(pace.delayMs(true)).toBe(2_000);
  });

  test('count requests in flight, and lower the figure when others draw on the bucket', () => {
    const { clock, pace } = paceOf();
    request(pace, clock, 200, limit(10));
    pace.start();
    pace.start();
    const answer = new Response(null, { headers: limit(3) });
    pace.learn(answer, { startedAt: clock.now(), others: 1, alone: false });
    expect(pace.delayMs(false)).toBe(7_000);
  });

  test('do not raise the figure when answers may have overtaken one another', () => {
    const { clock, pace } = paceOf();
    request(pace, clock, 200, limit(0));
    pace.start();
    const answer = new Response(null, { headers: limit(10) });
    pace.learn(answer, { startedAt: clock.now(), others: 0, alone: false });
    expect(pace.delayMs(false)).toBe(10_000);
    request(pace, clock, 200, limit(10));
    expect(pace.delayMs(false)).toBe(0);
  });

  test.each([
    ['none', {}],
    ['no figure', { 'x-ratelimit-remaining': 'many' }],
    ['a negative figure', limit(-1)],
    ['all but the figure', { 'x-ratelimit-burst-capacity': '10' }],
  ])('say nothing when there is %s', (_, headers) => {
    const { clock, pace } = paceOf();
    request(pace, clock, 200, headers as Record<string, string>);
    expect(pace.delayMs(false)).toBe(0);
  });

  test('of a bucket that would give nothing for hours stop nobody for longer than a minute', () => {
    const { clock, pace } = paceOf();
    request(pace, clock, 200, limit(0, 5, 0.000001));
    expect(pace.delayMs(false)).toBe(60_000);
  });

  test("do not lift the operator's limit", () => {
    const { clock, pace } = paceOf(4);
    request(pace, clock, 200, limit(10));
    expect(pace.delayMs(false)).toBe(249);
  });
});

describe('a 429', () => {
  test('stops everybody for as long as Retry-After says', () => {
    const { clock, pace } = paceOf();
    request(pace, clock, 429, { 'retry-after': '7' });
    expect([pace.delayMs(false), pace.pauseMs()]).toEqual([7_000, 7_000]);
  });

  test('stops everybody for a minute at the most', () => {
    const { clock, pace } = paceOf();
    request(pace, clock, 429, { 'retry-after': '86400' });
    expect(pace.delayMs(false)).toBe(60_000);
  });

  test('stops everybody until the bucket has the tokens of a request', () => {
    const { clock, pace } = paceOf();
    request(pace, clock, 429, limit(2));
    expect([pace.delayMs(false), pace.pauseMs()]).toEqual([3_000, 0]);
  });

  test('that says nothing slows down for longer each time, and good answers speed up again', () => {
    const { clock, pace } = paceOf();
    const delays = [1, 2, 3, 4, 5].map(() => {
      request(pace, clock, 429);
      const delay = pace.delayMs(false);
      clock.advance(delay);
      return delay;
    });
    expect(delays).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);

    const spacing = () => {
      request(pace, clock, 200);
      const delay = pace.delayMs(false);
      clock.advance(delay);
      return delay;
    };
    const faster = Array.from({ length: 40 }, spacing);
    expect(faster[0]).toBeGreaterThan(3_900);
    expect(faster[0]).toBeLessThan(4_000);
    expect(faster.at(-1)).toBe(0);
  });

  test('of a request that started before the last one slows nobody further', () => {
    const { clock, pace } = paceOf();
    const startedAt = clock.now();
    pace.start();
    pace.start();
    clock.advance(10);
    const answer = new Response(null, { status: 429 });
    pace.learn(answer, { startedAt, others: 1, alone: false });
    pace.learn(answer, { startedAt, others: 0, alone: false });
    expect(pace.delayMs(false)).toBe(1_000);
  });
});

test('at the limits of TIDAL an album of 120 tracks is fetched whole, and no request is refused twice', async () => {
  await using tidal = await startTidalServer();
  tidal.clock.advance(1);
  serveAlbum(tidal, 120);
  // One at a time: the test's clock leaps over a wait while an answer is still on its way, which no real one does.
  const client = tidal.client({ totalTimeoutMs: 120_000, maxConcurrency: 1 });
  const listing = await client.getAlbumListing('9', 120);
  expect(listing).toMatchObject({ problem: null, owed: null });
  expect(listing.tracks.map(({ isrc }) => isrc !== null)).toEqual(Array(120).fill(true));
  expect(refusals(tidal)).toBeLessThanOrEqual(1);
  // 13 requests with 5 tokens each, and 10 tokens at the start.
  expect(tidal.clock.now()).toBeLessThan(62_000);
});

test('a call whose time ends before says what it has, and what is still owed', async () => {
  await using tidal = await startTidalServer();
  tidal.clock.advance(1);
  serveAlbum(tidal, 120);
  const deadline = tidal.clock.now() + 8_000;
  const listing = await tidal.client().getAlbumListing('9', 120, { deadline });
  expect(listing.tracks).toHaveLength(60);
  expect(listing.owed).toMatchObject({ nextPage: { page: '3' }, expectedItems: 120 });
  expect(listing.owed?.trackIds).toHaveLength(60);
  expect(listing.problem).toContain('No turn came in time');
  expect(tidal.clock.now()).toBeLessThanOrEqual(deadline);
  expect(refusals(tidal)).toBe(0);
});

const refusedOnce = new WeakMap<TidalServer, Map<string, number>>();
const refusals = (tidal: TidalServer) => Math.max(0, ...(refusedOnce.get(tidal)?.values() ?? []));

/** Serves an album of pages of 20 without ISRCs, and the tracks by id, behind TIDAL's limits. */
function serveAlbum(tidal: TidalServer, count: number): void {
  const path = '/albums/9/relationships/items';
  const limited = tokenBucket(tidal.clock);
  const refused = new Map<string, number>();
  refusedOnce.set(tidal, refused);
  const counted = (key: string, body: unknown) => {
    const reply = limited({ body });
    if (reply.status === 429) refused.set(key, (refused.get(key) ?? 0) + 1);
    return reply;
  };
  tidal.answer(path, async ({ query }) => {
    const page = Number(query.get('page') ?? 0);
    const ids = Array.from({ length: 20 }, (_, index) => String(page * 20 + index + 1));
    const next = (page + 1) * 20 < count ? { next: `${path}?page=${page + 1}` } : {};
    const included = ids.map(id => track(id, { isrc: null }));
    return counted(
      `page ${page}`,
      itemsPage(
        ids.map(id => ({ id })),
        { included, ...next },
      ),
    );
  });
  tidal.answer('/tracks', async ({ query }) => {
    const ids = query.getAll('filter[id]');
    return counted(ids.join(), document(ids.map(id => track(id))));
  });
}
