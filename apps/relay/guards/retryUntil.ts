import { pause } from '@segue/process/pause.ts';

/** Between two tries of a statement. */
const pauseMs = 200;

/**
 * Runs a statement until it succeeds, fails for a reason that does not pass by itself, or the relay gives up.
 *
 * @param passes whether a failure passes by itself
 * @param onFirstFailure is told of the first one that does
 * @throws the last failure
 */
export async function retryUntil<Result>(
  givingUp: AbortSignal,
  statement: () => Promise<Result>,
  passes: (error: unknown) => boolean,
  onFirstFailure: (error: unknown) => void,
): Promise<Result> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await statement();
    } catch (error) {
      if (!passes(error) || givingUp.aborted) throw error;
      if (failures === 0) onFirstFailure(error);
      await pause(pauseMs, givingUp);
      // A further try could take a statement's 5 s, which a relay that stops does not have.
      if (givingUp.aborted) throw error;
    }
  }
}
