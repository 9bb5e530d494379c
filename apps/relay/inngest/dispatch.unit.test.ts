import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Answer } from './answer.ts';
import { type Calls, type Dispatch, dispatch, inngestLimits } from './dispatch.ts';

const unlimited = {
  eventsAtOnce: Number.POSITIVE_INFINITY,
  bytesAtOnce: Number.POSITIVE_INFINITY,
  calls: Number.POSITIVE_INFINITY,
};
const down = { kind: 'unavailable', error: 'Inngest answered 503: later' } as const;
const broken = { kind: 'unavailable', error: 'read ECONNRESET', broken: true } as const;
const accepted = { kind: 'accepted' } as const;
const refused = (published: number): Answer => ({ kind: 'refused', error: 'bad', published });

/** A server that takes what is good, and counts what it was given and what it took. */
function server(bad: Iterable<number>, { partial }: { partial: boolean }) {
  const badOnes = new Set(bad);
  const calls: [number, number][] = [];
  const published: number[] = [];
  const post = async (start: number, end: number): Promise<Answer> => {
    calls.push([start, end]);
    const items = Array.from({ length: end - start }, (_, offset) => start + offset);
    const good = items.findIndex(item => badOnes.has(item));
    if (good === -1) {
      published.push(...items);
      return accepted;
    }
    // The open-source server publishes what stands before the bad one.
    if (partial) published.push(...items.slice(0, good));
    return refused(partial ? good : 0);
  };
  return { post, calls, published };
}

const passes: Calls['canary'] = async () => accepted;
const send = (count: number, post: Calls['post'], limits = unlimited, canary = passes) =>
  dispatch(Array(count).fill(1), limits, { post, canary });
const indexes = ({ refused }: Dispatch) => refused.map(({ index }) => index);
const range = (start: number, end: number) =>
  Array.from({ length: end - start }, (_, offset) => start + offset);

test('nothing is sent where there is nothing', async () => {
  const { post, calls } = server([], { partial: false });
  expect(await send(0, post)).toEqual({ accepted: [], refused: [], unsent: [] });
  expect(calls).toEqual([]);
});

test('a batch with nothing wrong is one call', async () => {
  const { post, calls } = server([], { partial: false });
  expect(await send(500, post)).toEqual({ accepted: range(0, 500), refused: [], unsent: [] });
  expect(calls).toEqual([[0, 500]]);
});

describe('is cut before it is sent', () => {
  test('by the number of events', async () => {
    const { post, calls } = server([], { partial: false });
    await send(12_000, post, inngestLimits);
    expect(calls).toEqual([
      [0, 5_000],
      [5_000, 10_000],
      [10_000, 12_000],
    ]);
  });

  test('by bytes', async () => {
    const { post, calls } = server([], { partial: false });
    await dispatch([60, 40, 1, 99, 100, 1], { ...unlimited, bytesAtOnce: 100 }, { post, canary: passes });
    expect(calls).toEqual([
      [0, 2],
      [2, 4],
      [4, 5],
      [5, 6],
    ]);
  });

  test('and an event that is too large goes alone, so that its refusal is its own', async () => {
    const { post, calls } = server([1], { partial: false });
    const result = await dispatch(
      [10, 500, 10],
      { ...unlimited, bytesAtOnce: 100 },
      { post, canary: passes },
    );
    expect(calls).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(result).toEqual({ accepted: [0, 2], refused: [{ index: 1, error: 'bad' }], unsent: [] });
  });
});

describe.each([
  ['publishes what stands before a bad one', { partial: true }],
  ['takes all or nothing', { partial: false }],
])('a server that %s', (_, kind) => {
  test('refuses one event, wherever it stands, and gets every other once', async () => {
    for (const count of [1, 2, 3, 7, 64]) {
      for (const bad of range(0, count)) {
        const { post, published } = server([bad], kind);
        const result = await send(count, post);
        expect(indexes(result)).toEqual([bad]);
        expect(result.accepted).toEqual(range(0, count).filter(index => index !== bad));
        expect(published.sort((a, b) => a - b)).toEqual(result.accepted);
      }
    }
  });

  test('is asked 27 times at the most to find one bad event among 5,000', async () => {
    for (let bad = 0; bad < 5_000; bad += 7) {
      const { post, calls } = server([bad], kind);
      expect(indexes(await send(5_000, post, inngestLimits))).toEqual([bad]);
      expect(calls.length).toBeLessThanOrEqual(27);
    }
  });

  test('refuses all', async () => {
    const { post, published } = server(range(0, 20), kind);
    const result = await send(20, post);
    expect(indexes(result)).toEqual(range(0, 20));
    expect([published, result.accepted, result.unsent]).toEqual([[], [], []]);
  });

  test('is not asked more often than the limit, whatever is wrong with a batch', async () => {
    const { post, calls } = server(range(0, 500), kind);
    const result = await send(500, post, inngestLimits);
    expect(calls).toHaveLength(64);
    // Every batch gets further.
    expect(result.refused.length).toBeGreaterThan(0);
    expect(result.refused.length + result.unsent.length).toBe(500);
    expect(result).toMatchObject({ outOfCalls: true });
    expect(result).not.toHaveProperty('outage');
  });
});

describe('stops', () => {
  test('at an outage, and says which', async () => {
    expect(await send(3, async () => down)).toEqual({
      accepted: [],
      refused: [],
      unsent: [0, 1, 2],
      outage: down,
    });
  });

  test('when there is no time left, which is no outage', async () => {
    expect(await send(3, async () => null)).toEqual({ accepted: [], refused: [], unsent: [0, 1, 2] });
  });

  test('in the middle, and keeps what was decided before', async () => {
    const { post } = server([2], { partial: true });
    const answers = [post, post, async () => down];
    const result = await send(5, (start, end) => (answers.shift() ?? post)(start, end));
    expect(result).toEqual({
      accepted: [0, 1],
      refused: [{ index: 2, error: 'bad' }],
      unsent: [3, 4],
      outage: down,
    });
    expect(answers).toEqual([]);
  });
});

test.each([3, 4, 1_000])(
  'a server that names %d ids of three events and refuses all the same',
  async published => {
    // One was refused, whatever the ids say: the last, and it counts.
    const asked: [number, number][] = [];
    const result = await send(3, async (start, end) => {
      asked.push([start, end]);
      return refused(published);
    });
    expect(asked).toEqual([[0, 3]]);
    expect(result).toEqual({ accepted: [0, 1], refused: [{ index: 2, error: 'bad' }], unsent: [] });
  },
);

describe('the canary', () => {
  /** Every call in its order: a range, or `canary`. */
  function observed(post: Calls['post'], canaries: Awaited<ReturnType<Calls['canary']>>[] = []) {
    const calls: ([number, number] | 'canary')[] = [];
    return {
      calls,
      post: (start: number, end: number) => {
        calls.push([start, end]);
        return post(start, end);
      },
      canary: async () => {
        calls.push('canary');
        const answer = canaries.shift();
        return answer === undefined ? accepted : answer;
      },
    };
  }
  const refusesAll = async () => refused(0);

  test('is not sent where nothing fails', async () => {
    const { calls, post, canary } = observed(async () => accepted);
    await send(10, post, unlimited, canary);
    expect(calls).toEqual([[0, 10]]);
  });

  test('is sent once for a single event that is refused, and after it', async () => {
    const { calls, post, canary } = observed(refusesAll);
    expect(indexes(await send(1, post, unlimited, canary))).toEqual([0]);
    expect(calls).toEqual([[0, 1], 'canary']);
  });

  test('is sent before a refused call is halved, and after the event that is found', async () => {
    const { calls, post, canary } = observed(server([1], { partial: false }).post);
    expect(indexes(await send(4, post, unlimited, canary))).toEqual([1]);
    expect(calls).toEqual([[0, 4], 'canary', [0, 2], [0, 1], [1, 2], 'canary', [2, 4]]);
  });

  test('is sent after the last event that is refused, wherever that stands', async () => {
    for (const bad of [[0, 1, 2], [2, 3], [5, 6, 7, 8, 9], range(0, 10)]) {
      const { calls, post, canary } = observed(server(bad, { partial: true }).post);
      expect(indexes(await send(10, post, unlimited, canary))).toEqual(bad);
      const last = calls.findLastIndex(call => call !== 'canary' && call[0] === bad.at(-1));
      expect(calls.indexOf('canary', last)).toBeGreaterThan(last);
    }
  });

  test('is sent eight times at the most for a batch of nothing but bad events', async () => {
    const { calls, post, canary } = observed(server(range(0, 500), { partial: true }).post);
    expect((await send(500, post, inngestLimits, canary)).refused.length).toBeGreaterThan(20);
    expect(calls.filter(call => call === 'canary').length).toBeLessThanOrEqual(8);
  });

  test('that does not pass ends the dispatch after two calls: an outage, and no event is refused', async () => {
    const { calls, post, canary } = observed(refusesAll, [down]);
    const result = await send(500, post, inngestLimits, canary);
    expect(result).toEqual({ accepted: [], refused: [], unsent: range(0, 500), outage: down });
    expect(calls).toEqual([[0, 500], 'canary']);
  });

  test('that does not pass afterwards leaves the event undecided', async () => {
    const { calls, post, canary } = observed(server([1], { partial: true }).post, [accepted, down]);
    const result = await send(4, post, unlimited, canary);
    expect(result).toEqual({ accepted: [0], refused: [], unsent: [1, 2, 3], outage: down });
    expect(calls).toEqual([[0, 4], 'canary', [1, 2], 'canary']);
  });

  test('that had no time leaves undecided what was refused since the last one', async () => {
    const { post, canary } = observed(refusesAll, [accepted, accepted, null, null]);
    const result = await send(3, post, unlimited, canary);
    expect(result).toMatchObject({ refused: [{ index: 0 }], unsent: [1, 2] });
    expect(result).not.toHaveProperty('outage');
  });

  test('shows half of the refusals of a batch that runs out of time', async () => {
    let calls = 0;
    const late = async <Result>(answer: Result) => (++calls > 30 ? null : answer);
    const result = await dispatch(Array(64).fill(1), unlimited, {
      post: () => late(refused(0)),
      canary: () => late(accepted),
    });
    // The first eight calls find the first event, two each of the next.
    expect(result.refused.length).toBeGreaterThanOrEqual(5);
    expect(result.refused.length + result.unsent.length).toBe(64);
  });
});

describe('a proxy that resets what is too large for it', () => {
  /** Takes no call of more bytes than this. */
  function proxy(sizes: number[], most: number) {
    const calls: [number, number][] = [];
    return {
      calls,
      post: async (start: number, end: number) => {
        calls.push([start, end]);
        return sizes.slice(start, end).reduce((sum, size) => sum + size, 0) > most ? broken : accepted;
      },
    };
  }

  test('gets all of a batch in halves, and costs no attempt', async () => {
    const sizes = Array(1_000).fill(250);
    const { calls, post } = proxy(sizes, 64 * 1024);
    const result = await dispatch(sizes, inngestLimits, { post, canary: passes });
    expect(result).toEqual({ accepted: range(0, 1_000), refused: [], unsent: [] });
    expect(calls).toHaveLength(7);
  });

  test('and one event alone: that waits, uncounted, and the others are sent', async () => {
    const sizes = [10, 10, 500, 10];
    const { post } = proxy(sizes, 100);
    const result = await dispatch(sizes, inngestLimits, { post, canary: passes });
    expect(result).toEqual({ accepted: [0, 1, 3], refused: [], unsent: [2], outOfCalls: true });
  });

  test('and everything else, too, is an outage', async () => {
    const result = await send(
      100,
      async () => broken,
      inngestLimits,
      async () => broken,
    );
    expect(result).toEqual({ accepted: [], refused: [], unsent: range(0, 100), outage: broken });
  });
});

test('whatever a server does, each event is decided once, and only what it refused is refused', async () => {
  const outcome = fc.constantFrom(
    ...Array<'answer'>(9).fill('answer'),
    'down',
    'late',
    'broken',
    'all refused',
  );
  const batch = fc.record({
    sizes: fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 60 }),
    bad: fc.uniqueArray(fc.nat({ max: 59 })),
    partial: fc.boolean(),
    limits: fc.record({
      eventsAtOnce: fc.integer({ min: 1, max: 60 }),
      bytesAtOnce: fc.integer({ min: 1, max: 2_000 }),
      calls: fc.oneof(fc.integer({ min: 0, max: 64 }), fc.constant(Number.POSITIVE_INFINITY)),
    }),
    outcomes: fc.array(outcome),
  });
  await fc.assert(
    fc.asyncProperty(batch, async ({ sizes, bad, partial, limits, outcomes }) => {
      const { post, calls, published } = server(bad, { partial });
      let asked = 0;
      let stopped = false;
      /** Failed alone, and no canary has passed since. */
      const unproven = new Set<number>();
      const next = () => {
        // Nothing is asked of a server that is down.
        expect(stopped).toBe(false);
        return outcomes[asked++] ?? 'answer';
      };
      const result = await dispatch(sizes, limits, {
        async post(start, end) {
          expect(end - start).toBeGreaterThan(0);
          expect(end - start).toBeLessThanOrEqual(limits.eventsAtOnce);
          const bytes = sizes.slice(start, end).reduce((sum, size) => sum + size, 0);
          expect(end - start === 1 || bytes <= limits.bytesAtOnce).toBe(true);
          const outcome = next();
          stopped = outcome === 'down' || outcome === 'late';
          if (outcome === 'down') return down;
          if (outcome === 'late') {
            // There may be time for a canary, which is smaller.
            stopped = false;
            return null;
          }
          unproven.add(start);
          if (outcome === 'broken') return broken;
          return outcome === 'all refused' ? refused(0) : post(start, end);
        },
        async canary() {
          const outcome = next();
          if (outcome === 'late') return null;
          if (outcome === 'answer') {
            unproven.clear();
            return accepted;
          }
          stopped = true;
          return outcome === 'broken' ? broken : down;
        },
      });

      const decided = [...result.accepted, ...indexes(result), ...result.unsent];
      expect(decided.toSorted((a, b) => a - b)).toEqual(range(0, sizes.length));
      expect(published.toSorted((a, b) => a - b)).toEqual(result.accepted.toSorted((a, b) => a - b));
      expect(calls.length).toBeLessThanOrEqual(limits.calls);
      for (const index of indexes(result)) expect(unproven).not.toContain(index);
      expect(result.outage !== undefined).toBe(stopped);
      if (outcomes.every(outcome => outcome === 'answer')) {
        for (const index of indexes(result)) expect(bad).toContain(index);
        if (limits.calls === Number.POSITIVE_INFINITY) expect(result.unsent).toEqual([]);
      }
    }),
    { numRuns: 1_000 },
  );
});
