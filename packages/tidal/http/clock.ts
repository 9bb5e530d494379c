import { setTimeout } from 'node:timers/promises';

/** Time as the client sees it. Tests pass one of their own, so that none of them sleeps. */
export type Clock = {
  /** Milliseconds from an arbitrary start, never running backwards. */
  now(): number;
  /** Resolves after that many ms; rejects when the signal is aborted before. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
};

export const systemClock: Clock = {
  now: () => performance.now(),
  wait: (ms, signal) => setTimeout(ms, undefined, { signal }),
};
