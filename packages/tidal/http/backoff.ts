const firstMs = 250;
/** TIDAL is asked again this often at least, for as long as somebody waits. */
const longestMs = 4_000;

/**
 * How long to wait before the next attempt, in ms: exponential with jitter, but never less than the server asked for.
 * After a 429 the limiter waits, for everybody.
 *
 * @param attempts how many have been made, 1 or more
 */
export function backoffMs(attempts: number, retryAfterMs: number): number {
  const most = Math.min(longestMs, firstMs * 2 ** Math.min(attempts - 1, 10));
  return Math.max(retryAfterMs, most * (0.2 + 0.8 * Math.random()));
}

/** Reads a Retry-After header, seconds or an HTTP date, as ms from now; 0 for none or an unreadable one. */
export function readRetryAfter(header: string | null): number {
  if (header === null) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? 0 : Math.max(0, ms);
}
