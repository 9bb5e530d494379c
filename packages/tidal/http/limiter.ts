import type { Clock } from './clock.ts';

export type Limiter = {
  /**
   * Runs the task when its turn has come, in the order of asking.
   *
   * @throws the signal's reason when it is aborted before the turn has come; what the task throws
   */
  run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T>;
};

export type LimiterOptions = {
  /** Tasks that run at the same time at the most. */
  maxConcurrency: number;
  /** Starts a second at the most, evenly spaced; undefined: unlimited. */
  requestsPerSecond: number | undefined;
  clock: Clock;
};

/** Holds one process to its share of TIDAL. Several processes do not know of each other. */
export function createLimiter({ maxConcurrency, requestsPerSecond, clock }: LimiterOptions): Limiter {
  const intervalMs = requestsPerSecond === undefined ? 0 : 1000 / requestsPerSecond;
  const waiting = new Set<() => void>();
  let free = maxConcurrency;
  let nextStart = Number.NEGATIVE_INFINITY;

  async function takeTurn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (free > 0) {
      free -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.add(resolve);
    // Does nothing any more once the turn has come.
    const giveUp = () => {
      waiting.delete(resolve);
      reject(signal.reason);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    await promise;
  }

  function passTurnOn(): void {
    const [next] = waiting;
    if (next === undefined) {
      free += 1;
    } else {
      waiting.delete(next);
      next();
    }
  }

  /** Takes the next start only when it is due: one reserved ahead and then given up would be lost to all. */
  async function keepPace(signal: AbortSignal): Promise<void> {
    for (let now = clock.now(); now < nextStart; now = clock.now()) {
      await clock.wait(nextStart - now, signal);
    }
    nextStart = clock.now() + intervalMs;
  }

  return {
    async run(task, signal) {
      await takeTurn(signal);
      try {
        await keepPace(signal);
        return await task();
      } finally {
        passTurnOn();
      }
    },
  };
}
