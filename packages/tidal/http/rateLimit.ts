/** TIDAL's token bucket as an answer's headers describe it. */
export type RateLimit = {
  /** Tokens that were left after the request. */
  remaining: number;
  /** Tokens at the most. */
  capacity: number;
  tokensPerSecond: number;
  /** Tokens that a request costs. */
  cost: number;
};

/** Observed at TIDAL, for a header that is left out: 10 tokens at the most, one more a second, 5 a request. */
const observed = { capacity: 10, tokensPerSecond: 1, cost: 5 };

/** A bucket that gave a request less often than this would stop everything; TIDAL's gave one in 5 s. */
const slowestRequestMs = 60_000;

/**
 * Reads `x-ratelimit-remaining`, `-burst-capacity`, `-replenish-rate` and `-requested-tokens`.
 *
 * @returns null without a readable `x-ratelimit-remaining`: the others alone say nothing of now
 */
export function readRateLimit(headers: Headers): RateLimit | null {
  const number = (name: string) => {
    const text = headers.get(`x-ratelimit-${name}`);
    return text !== null && /^\d{1,9}(\.\d{1,9})?$/.test(text.trim()) ? Number(text) : null;
  };
  const remaining = number('remaining');
  if (remaining === null) return null;
  const cost = number('requested-tokens') || observed.cost;
  const tokensPerSecond = number('replenish-rate') || observed.tokensPerSecond;
  const capacity = number('burst-capacity') || observed.capacity;
  return {
    remaining,
    capacity: Math.max(capacity, cost),
    tokensPerSecond: Math.max(tokensPerSecond, (cost * 1000) / slowestRequestMs),
    cost,
  };
}
