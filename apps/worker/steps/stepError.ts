import { reasonOf } from '@segue/process/reason.ts';
import { retryAfterMsOf, statusOf, textOf } from '@segue/track-index/qdrantError.ts';
import { NonRetriableError, RetryAfterError } from 'inngest';
import { EmbeddingError } from '../embedding/embeddingError.ts';

/**
 * Tells Inngest what to do about an error of a step: bad input ends the run at once, a rate limit waits as long as it
 * is told, everything else is tried again in Inngest's own time. The message begins with the step's name, by which the
 * failure is told later.
 */
export function asInngestError(step: string, error: unknown): Error {
  const message = `${step}: ${messageOf(error)}`;
  const retryAfterMs = error instanceof EmbeddingError ? error.retryAfterMs : retryAfterMsOf(error);
  if (isFinal(error)) return new NonRetriableError(message, { cause: error });
  if (retryAfterMs !== undefined) return new RetryAfterError(message, retryAfterMs, { cause: error });
  return new Error(message, { cause: error });
}

/** The step that an error of {@link asInngestError} names, and the rest of its message. */
export function readStepError(message: string): { step?: string; reason: string } {
  const [, step, reason] = /^([a-z-]+): (.*)$/s.exec(message) ?? [];
  return step === undefined || reason === undefined ? { reason: message } : { step, reason };
}

function isFinal(error: unknown): boolean {
  if (error instanceof NonRetriableError) return true;
  if (error instanceof EmbeddingError) return error.problem === 'input' || error.problem === 'quota';
  const status = statusOf(error);
  // Qdrant refuses the document for what it is.
  return status === 400 || status === 422;
}

function messageOf(error: unknown): string {
  const status = statusOf(error);
  if (status === undefined) return reasonOf(error);
  return `Qdrant answered ${status}: ${textOf(error) || reasonOf(error)}`;
}
