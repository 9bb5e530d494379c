import { within as withinMs } from '@segue/process/timeLimit.ts';
import { Refusal } from './refusal.ts';

/** How long one request may go on: moments on `performance.now()`. */
export type RequestTime = {
  endsAt: number;
  /** Earlier: a quarter is left to store what TIDAL said. */
  catalogEndsAt: number;
  limitMs: number;
  /** For what TIDAL is asked in one addition. */
  catalogBudgetMs: number;
};

/** The time of a request that begins now. */
export function requestTime(limitMs: number, catalogBudgetMs = limitMs): RequestTime {
  const now = performance.now();
  return { endsAt: now + limitMs, catalogEndsAt: now + 0.75 * limitMs, limitMs, catalogBudgetMs };
}

/** Until when TIDAL is asked in an addition that begins now. */
export function budgetEndsAt({ catalogEndsAt, catalogBudgetMs }: RequestTime): number {
  return Math.min(catalogEndsAt, performance.now() + catalogBudgetMs);
}

/**
 * Answers when the time is up, if the work has not. The work itself goes on behind it, bounded by the limits of
 * TIDAL's client and of the database's statements.
 *
 * @param late makes what is thrown when the time is up; `REQUEST_TIMEOUT`, if it is not given
 */
export async function within<Result>(
  time: RequestTime,
  work: Promise<Result>,
  late = () => overdue(time),
): Promise<Result> {
  return await withinMs(time.endsAt - performance.now(), work, late);
}

/** @throws Refusal `REQUEST_TIMEOUT` when the time is up */
export function demandTime(time: RequestTime): void {
  if (performance.now() >= time.endsAt) throw overdue(time);
}

/** A request was given up. */
export function overdue({ limitMs }: RequestTime): Refusal {
  const message = `This took longer than ${limitMs} ms and was given up. A change may or may not have been made.`;
  return new Refusal('REQUEST_TIMEOUT', 503, message);
}
