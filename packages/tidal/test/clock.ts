import type { Clock } from '../http/clock.ts';

/** A clock that stands still but for the waits, which are over at once. */
export type TestClock = Clock & {
  /** What was waited for, in ms. */
  waits: number[];
  advance(ms: number): void;
};

export function createTestClock(): TestClock {
  let now = 0;
  const waits: number[] = [];
  return {
    waits,
    now: () => now,
    advance(ms) {
      now += ms;
    },
    async wait(ms, signal) {
      signal?.throwIfAborted();
      waits.push(ms);
      now += ms;
    },
  };
}
