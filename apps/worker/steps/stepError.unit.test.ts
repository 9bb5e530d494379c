import { RetryAfterError } from 'inngest';
import { expect, test } from 'vitest';
import { EmbeddingError } from '../embedding/embeddingError.ts';
import { asInngestError, readStepError } from './stepError.ts';

test('a rate limit waits as long as it is told', () => {
  const limited = new EmbeddingError('rate_limit', 'slow down', { retryAfterMs: 7_000 });
  const error = asInngestError('embed-interpretation', limited);
  expect(error).toBeInstanceOf(RetryAfterError);
  expect(error).toMatchObject({ retryAfter: '7' });
  // Of Qdrant's 30 s its client leaves the 3.
  expect(asInngestError('store-document', { retry_after: 3 })).toMatchObject({ retryAfter: '39' });
});

test('the step is read back from the message', () => {
  const { message } = asInngestError('store-document', new Error('Qdrant: connect ECONNREFUSED'));
  expect(readStepError(message)).toEqual({ step: 'store-document', reason: 'Qdrant: connect ECONNREFUSED' });
  expect(readStepError('Unable to reach SDK URL: x')).toEqual({ reason: 'Unable to reach SDK URL: x' });
});
