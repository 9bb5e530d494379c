import { LRUCache } from 'lru-cache';
import type { Clock } from './http/clock.ts';

export type Lookup = {
  /**
   * What `ask` answers. While it is asked, all who look up the same key wait for that one answer.
   *
   * @param sizeOf what it counts for in the memory; null for an answer that is not to be remembered
   * @throws what `ask` throws
   */
  find<Answer extends object | null>(
    key: string,
    ask: () => Promise<Answer>,
    sizeOf: (answer: NonNullable<Answer>) => number | null,
  ): Promise<Answer>;
};

/** Remembers answers for a short time, the most recently used ones up to a size. Null is never remembered. */
export function createLookup({
  maxSize,
  keepMs,
  clock,
}: {
  maxSize: number;
  keepMs: number;
  clock: Clock;
}): Lookup {
  // Its own clock reading is a millisecond old at the most, and taken with a timer: resolution 0 does without.
  const remembered = new LRUCache<string, object>({ maxSize, ttl: keepMs, ttlResolution: 0, perf: clock });
  const underWay = new Map<string, Promise<object | null>>();

  async function settle<Answer extends object | null>(
    key: string,
    asked: Promise<Answer>,
    sizeOf: (answer: NonNullable<Answer>) => number | null,
  ): Promise<Answer> {
    try {
      const answer = await asked;
      const size = answer === null ? null : sizeOf(answer);
      if (answer !== null && size !== null) remembered.set(key, answer, { size });
      return answer;
    } finally {
      underWay.delete(key);
    }
  }

  return {
    // A key is always looked up with the same kind of answer, which its first word says.
    find<Answer extends object | null>(
      key: string,
      ask: () => Promise<Answer>,
      sizeOf: (answer: NonNullable<Answer>) => number | null,
    ) {
      const known = remembered.get(key);
      if (known !== undefined) return Promise.resolve(known as Answer);
      const shared = underWay.get(key);
      if (shared !== undefined) return shared as Promise<Answer>;
      const answer = settle(key, ask(), sizeOf);
      // Not everybody waits for what they asked.
      answer.catch(() => undefined);
      underWay.set(key, answer);
      return answer;
    },
  };
}
