import { isConflict, isOutage } from '@segue/database/outage.ts';
import { pause } from '@segue/process/pause.ts';

/** Between two tries of a statement. */
const pauseMs = 200;

/**
 * Runs a statement until it succeeds, the time is up, or the relay gives up. For what was sent already, trying on
 * is better than giving up: a row that is not settled is sent again when its lease has ended. Only a database that
 * is away and a conflict pass by themselves; whatever else fails would fail each time, and is thrown at once.
 *
 * @param deadline on `performance.now()`
 * @throws the last failure
 */
export async function insistUntil<Result>(
  deadline: number,
  giveUp: AbortSignal,
  statement: () => Promise<Result>,
  onFirstFailure?: (error: unknown) => void,
): Promise<Result> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await statement();
    } catch (error) {
      if (!isOutage(error) && !isConflict(error)) throw error;
      if (failures === 0) onFirstFailure?.(error);
      if (giveUp.aborted || performance.now() + pauseMs >= deadline) throw error;
      await pause(pauseMs, giveUp);
    }
  }
}
