import pLimit, { type LimitFunction } from 'p-limit';

/**
 * Batches under way besides those that call: one that is claimed ahead, and one that is written down. One batch of
 * 250 rows at a time went through at 20,000 rows/s without them, at 34,000 with both.
 */
const aheadAndBehind = 2;
/** Where so many are under way anyhow, one of them is always ready: more only hold more rows. */
const enough = 4;

/** Calls that take a larger part of the lease are slow: what waits for them would wait its own lease away. */
const quickShareOfLease = 0.1;

/** How many batches a relay has claimed and not written down, at the most. */
function mostUnderWay(concurrency: number): number {
  return Math.max(concurrency, Math.min(concurrency + aheadAndBehind, enough));
}

/**
 * The turns of batches at the index and Inngest: in the order of asking, and only so many at the same time. While
 * the calls are quick it pays to have the next batch ready; while they are slow it would cost that batch its lease.
 */
export class Turns {
  #quickMs: number;
  #limit: LimitFunction;
  /** Nothing is known before the first. */
  #lastMs = Number.POSITIVE_INFINITY;

  constructor({ concurrency, leaseMs }: { concurrency: number; leaseMs: number }) {
    this.#quickMs = leaseMs * quickShareOfLease;
    this.#limit = pLimit(concurrency);
  }

  /** How many batches may be claimed and not written down as things are. */
  get batchesUnderWay(): number {
    const { concurrency } = this.#limit;
    return this.#lastMs <= this.#quickMs ? mostUnderWay(concurrency) : concurrency;
  }

  /** Makes a batch's calls when its turn has come. */
  take<Result>(calls: () => Promise<Result>): Promise<Result> {
    return this.#limit(async () => {
      const began = performance.now();
      try {
        return await calls();
      } finally {
        this.#lastMs = performance.now() - began;
      }
    });
  }
}
