import { readRetryAfter } from './backoff.ts';
import type { Clock } from './clock.ts';
import { type RateLimit, readRateLimit } from './rateLimit.ts';

/** A `Retry-After` is heeded up to here: a wrong one must not stop a process for a day. */
const longestPauseMs = 60_000;
/** After a 429 that says nothing of when to come back. TIDAL was seen to give back the tokens of a request in 5 s. */
const firstPauseMs = 1_000;
const longestUntoldPauseMs = 5_000;
/** How much sooner the next request may start after each answer that is no 429. */
const speedUp = 0.8;

/** When requests to TIDAL may start, for all who ask through one client. */
export type Pace = {
  /**
   * How long until a request may start, in ms; 0: now.
   *
   * @param reserved whether one more request must be affordable after it, for somebody who waits
   */
  delayMs(reserved: boolean): number;
  /** How long until any request may start after a 429, in ms. */
  pauseMs(): number;
  /** Says that a request starts now. */
  start(): void;
  /**
   * Learns from an answer.
   *
   * @param startedAt when its request started, on the clock
   * @param others requests in flight beside it, which may or may not be in TIDAL's figure already
   * @param alone whether no other request was in flight at any time during it
   */
  learn(answer: Response, context: { startedAt: number; others: number; alone: boolean }): void;
  /** Learns from an answer of the token endpoint, which has a bucket of its own. */
  learnOfToken(answer: Response, startedAt: number): void;
};

/**
 * Keeps the pace that TIDAL's headers tell, and at most the pace that the operator sets.
 *
 * Once an answer has told the token bucket, it is kept here as well: a request starts when the bucket has its tokens. A
 * figure of TIDAL's may lower ours at any time, since other processes draw on the same bucket. It raises ours only when
 * it came with a request that was alone in flight; answers that overtake one another say too much otherwise.
 *
 * A 429 stops everybody for as long as `Retry-After` says or the bucket needs. One that says neither stops everybody
 * for 1 s, 2 s, 4 s, then 5 s, and requests start that far apart from then on; each good answer brings them closer
 * together again.
 *
 * @param requestsPerSecond undefined: as many as TIDAL takes
 */
export function createPace({
  requestsPerSecond,
  clock,
}: {
  requestsPerSecond: number | undefined;
  clock: Clock;
}): Pace {
  const usualIntervalMs = requestsPerSecond === undefined ? 0 : 1000 / requestsPerSecond;
  let intervalMs = usualIntervalMs;
  let lastStart = Number.NEGATIVE_INFINITY;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  /** When a 429 last changed the pace. What started before says nothing new with its own. */
  let slowedAt = Number.NEGATIVE_INFINITY;
  let refusalsInARow = 0;
  let bucket: (Omit<RateLimit, 'remaining'> & { tokens: number; at: number }) | null = null;

  function refill(): void {
    if (bucket === null) return;
    const now = clock.now();
    const gained = ((now - bucket.at) / 1000) * bucket.tokensPerSecond;
    bucket.tokens = Math.min(bucket.capacity, bucket.tokens + gained);
    bucket.at = now;
  }

  function learnBucket(limit: RateLimit, { others, alone }: { others: number; alone: boolean }): void {
    refill();
    const { remaining, ...told } = limit;
    const theirs = remaining - others * told.cost;
    const tokens = bucket === null || alone ? theirs : Math.min(bucket.tokens, theirs);
    bucket = { ...told, tokens, at: clock.now() };
  }

  function slowDown(answer: Response, limit: RateLimit | null): void {
    const now = clock.now();
    refusalsInARow += 1;
    slowedAt = now;
    const retryAfterMs = readRetryAfter(answer.headers.get('retry-after'));
    const doubled = 2 ** Math.min(refusalsInARow - 1, 20);
    let pause = retryAfterMs;
    if (limit !== null && limit.remaining < limit.cost) {
      // The bucket says when. A second refusal in a row means that others draw on it at the same moment as we do.
      const requestMs = (limit.cost / limit.tokensPerSecond) * 1000;
      if (refusalsInARow > 1) pause = Math.max(pause, Math.random() * requestMs * doubled);
    } else if (retryAfterMs === 0) {
      pause = Math.min(longestUntoldPauseMs, firstPauseMs * doubled);
      intervalMs = Math.max(usualIntervalMs, pause);
    }
    pausedUntil = Math.max(pausedUntil, now + Math.min(pause, longestPauseMs));
  }

  return {
    delayMs(reserved) {
      refill();
      const now = clock.now();
      let delay = Math.max(0, pausedUntil - now, lastStart + intervalMs - now);
      if (bucket !== null) {
        const reserve = reserved ? Math.min(bucket.cost, bucket.capacity - bucket.cost) : 0;
        const lacking = bucket.cost + reserve - bucket.tokens;
        delay = Math.max(delay, (lacking / bucket.tokensPerSecond) * 1000);
      }
      // A bucket that lacks a billionth of a token would otherwise be asked again and again.
      return Math.max(0, Math.ceil(delay - 1e-6));
    },
    pauseMs: () => Math.max(0, pausedUntil - clock.now()),
    start() {
      refill();
      lastStart = clock.now();
      if (bucket !== null) bucket.tokens -= bucket.cost;
    },
    learnOfToken(answer, startedAt) {
      if (answer.status === 429 && startedAt > slowedAt) slowDown(answer, null);
    },
    learn(answer, context) {
      const limit = readRateLimit(answer.headers);
      if (limit !== null) learnBucket(limit, context);
      if (answer.status === 429) {
        if (context.startedAt > slowedAt) slowDown(answer, limit);
      } else if (answer.status < 500) {
        refusalsInARow = 0;
        intervalMs =
          intervalMs * speedUp < 10 ? usualIntervalMs : Math.max(usualIntervalMs, intervalMs * speedUp);
      }
    },
  };
}
