/** A token bucket, as TIDAL holds its clients to one. */
export type RateLimit = {
  /** Tokens at the most. */
  burst: number;
  /** Tokens that come back. */
  perSecond: number;
  /** Tokens that a request costs. */
  cost: number;
};

/** What was observed at TIDAL: two requests at once, and then one in 5 s. */
export const observedRateLimit: RateLimit = { burst: 10, perSecond: 1, cost: 5 };

export type Verdict = { allowed: boolean; headers: Record<string, string> };

/** A bucket that is full at first. */
export function tokenBucketOf({ burst, perSecond, cost }: RateLimit, now = () => performance.now()) {
  let tokens = burst;
  let at = now();
  /** Takes the tokens of a request, if they are there. */
  return (): Verdict => {
    tokens = Math.min(burst, tokens + ((now() - at) / 1000) * perSecond);
    at = now();
    const allowed = tokens >= cost;
    if (allowed) tokens -= cost;
    return {
      allowed,
      headers: {
        'x-ratelimit-remaining': String(Math.floor(tokens)),
        'x-ratelimit-burst-capacity': String(burst),
        'x-ratelimit-replenish-rate': String(perSecond),
        'x-ratelimit-requested-tokens': String(cost),
      },
    };
  };
}
