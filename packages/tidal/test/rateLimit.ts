import type { Clock } from '../http/clock.ts';
import { errorReply, type Reply } from './tidalServer.ts';

/** As observed at TIDAL: 10 tokens at the most, one more a second, 5 a request. */
export const observedLimit = { capacity: 10, perSecond: 1, cost: 5 };

/**
 * TIDAL's token bucket on the test's clock.
 *
 * @returns what answers a request in place of `answer` when the bucket is empty, the headers added in any case
 */
export function tokenBucket(clock: Clock, { capacity, perSecond, cost } = observedLimit) {
  let tokens = capacity;
  let at = clock.now();
  return (answer: Reply): Reply => {
    tokens = Math.min(capacity, tokens + ((clock.now() - at) / 1000) * perSecond);
    at = clock.now();
    const taken = tokens >= cost;
    if (taken) tokens -= cost;
    const headers = {
      'x-ratelimit-remaining': String(Math.floor(tokens)),
      'x-ratelimit-burst-capacity': String(capacity),
      'x-ratelimit-replenish-rate': String(perSecond),
      'x-ratelimit-requested-tokens': String(cost),
    };
    const reply = taken ? answer : errorReply(429);
    return { ...reply, headers: { ...reply.headers, ...headers } };
  };
}
