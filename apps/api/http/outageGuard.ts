import { isOutage } from '@segue/database/outage.ts';

/** How often the database is tried while it is away. */
const betweenTriesMs = 250;

/** What Node and postgres.js say of a connection that cannot be made: no other will do better. */
const unreachable = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'CONNECT_TIMEOUT',
  // Of a statement without an answer: the other connections are as silent.
  'ETIMEDOUT',
]);

/**
 * Keeps a flood of requests from waiting for a database that is away. A pool of ten that tries again every
 * 250 ms lets 40 queries a second fail; all others would queue behind them.
 *
 * From the first failure on, one request every 250 ms tries, and the rest fails at once with what was said last.
 * The first that succeeds lets all through again.
 */
export class OutageGuard {
  #failure: Error | null = null;
  #nextTryAt = 0;
  /** Of those inside: when the database turns out to be away, they need not wait for their own turn to fail. */
  readonly #giveUp = new Set<(reason: Error) => void>();

  /** @throws what the work throws, or what another's work said of the outage */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#failure !== null) {
      if (performance.now() < this.#nextTryAt) throw this.#failure;
      this.#nextTryAt = performance.now() + betweenTriesMs;
    }
    const { promise: away, reject: giveUp } = Promise.withResolvers<never>();
    this.#giveUp.add(giveUp);
    try {
      const result = await Promise.race([work(), away]);
      this.#failure = null;
      return result;
    } catch (error) {
      if (isUnreachable(error) && error !== this.#failure) this.#goAway(error);
      throw error;
    } finally {
      this.#giveUp.delete(giveUp);
    }
  }

  #goAway(error: Error): void {
    this.#failure = error;
    this.#nextTryAt = performance.now() + betweenTriesMs;
    for (const giveUp of this.#giveUp) giveUp(error);
  }
}

/** A connection that broke says little of the next one; one that cannot be made says all. */
function isUnreachable(error: unknown): error is Error {
  if (!isOutage(error)) return false;
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code = '' } = at as NodeJS.ErrnoException;
    // 57P03: the server is starting, or recovering.
    if (unreachable.has(code) || code === '57P03') return true;
  }
  return false;
}
