/**
 * How long to wait before the next attempt, in ms: exponential with full jitter, but never less than the
 * server asked for.
 *
 * A rate limit starts at 1 s and not at 250 ms, since TIDAL gives back about one token a second.
 *
 * @param attempts how many have been made, 1 or more
 */
export function backoffMs(attempts: number, status: number | null, retryAfterMs: number): number {
  const first = status === 429 ? 1000 : 250;
  return Math.max(retryAfterMs, Math.random() * first * 2 ** (attempts - 1));
}

/** Reads a Retry-After header, seconds or an HTTP date, as ms from now; 0 for none or an unreadable one. */
export function readRetryAfter(header: string | null): number {
  if (header === null) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? 0 : Math.max(0, ms);
}
