import { LRUCache } from 'lru-cache';
import type { Clock } from './http/clock.ts';

export type SharingOptions = {
  /** Who shares answers that are under way: a person does not wait for what is asked at leisure. */
  lane?: string;
  /** Whether one who shared a failure asks by themselves: they may have more time. */
  mayAskAgain?: (failure: unknown) => boolean;
};

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
    options?: SharingOptions,
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
    lane: string,
    asked: Promise<Answer>,
    sizeOf: (answer: NonNullable<Answer>) => number | null,
  ): Promise<Answer> {
    try {
      const answer = await asked;
      const size = answer === null ? null : sizeOf(answer);
      if (answer !== null && size !== null) remembered.set(key, answer, { size });
      return answer;
    } finally {
      underWay.delete(lane + key);
    }
  }

  // A key is always looked up with the same kind of answer, which its first word says.
  async function find<Answer extends object | null>(
    key: string,
    ask: () => Promise<Answer>,
    sizeOf: (answer: NonNullable<Answer>) => number | null,
    { lane = '', mayAskAgain = () => false }: SharingOptions,
  ): Promise<Answer> {
    for (;;) {
      const known = remembered.get(key);
      if (known !== undefined) return known as Answer;
      const shared = underWay.get(lane + key);
      if (shared === undefined) break;
      try {
        return (await shared) as Answer;
      } catch (error) {
        if (!mayAskAgain(error)) throw error;
      }
    }
    const answer = settle(key, lane, ask(), sizeOf);
    underWay.set(lane + key, answer);
    return await answer;
  }

  return {
    find(key, ask, sizeOf, options = {}) {
      const answer = find(key, ask, sizeOf, options);
      // Not everybody waits for what they asked.
      answer.catch(() => undefined);
      return answer;
    },
  };
}
