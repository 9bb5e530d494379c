import { NoTurnError, type Urgency } from './limiter.ts';
import type { Answer } from './request.ts';

/**
 * What came of one request to TIDAL. `no_turn`: it was not made, since our own limiter had no turn for it in time.
 * `invalid`: an answer that cannot be read.
 */
export type RequestOutcome =
  | 'ok'
  | 'not_found'
  | 'refused'
  | 'rate_limited'
  | 'server_error'
  | 'timeout'
  | 'unreachable'
  | 'invalid'
  | 'no_turn';

/** One request, or the wait for one that was not made. */
export type ObservedRequest = {
  urgency: Urgency;
  outcome: RequestOutcome;
  /** For a turn of the limiter, in ms. */
  waitedMs: number;
  /** From its turn to the whole answer, in ms; null when no turn came. */
  tookMs: number | null;
};

export function outcomeOfAnswer({ response: { ok, status }, data }: Answer): RequestOutcome {
  if (ok) return data === undefined ? 'invalid' : 'ok';
  if (status === 404) return 'not_found';
  if (status === 429) return 'rate_limited';
  return status >= 500 ? 'server_error' : 'refused';
}

export function outcomeOfError(error: unknown, turnHasCome: boolean): RequestOutcome {
  const isLate = (error as Error | undefined)?.name === 'TimeoutError';
  if (!turnHasCome && (isLate || error instanceof NoTurnError)) return 'no_turn';
  if (isLate) return 'timeout';
  return error instanceof SyntaxError ? 'invalid' : 'unreachable';
}
