import type { LogEventEntry } from './entry.ts';

/** Of runs of the worker. */
export const indexingEvents = {
  document_indexed: {
    levels: ['info'],
    by: ['worker'],
    when: 'The document of a recording is in the index. `duration_ms` counts from the start of the run.',
    action: 'Nothing.',
  },
  ingestion_attempt_failed: {
    levels: ['warn'],
    by: ['worker'],
    when:
      'One attempt of a step failed; `error` names the step and says why. Inngest tries it again, unless the input is ' +
      'wrong or the account of the embedding service is used up.',
    action: 'Nothing, unless it goes on: then look after the service that the line names.',
  },
  ingestion_failed: {
    levels: ['error'],
    by: ['worker'],
    when:
      'A run has used up its attempts, or cannot succeed: the recording is not in the index. `reason` is the step, ' +
      '`error` says why. `track/ingestion.failed` is sent as well.',
    action: 'Mend the cause, then request the recording again with `force`.',
  },
  functions_registered: {
    levels: ['info'],
    by: ['worker'],
    when: 'Inngest has taken the functions, at the start or after it was away.',
    action: 'Nothing.',
  },
  inngest_sdk: {
    levels: ['debug', 'warn'],
    by: ['worker'],
    when: 'The Inngest SDK had something to say: a request with a wrong signature, for example.',
    action: 'Read the message. A wrong signature: compare INNGEST_SIGNING_KEY with the one of the server.',
  },
} as const satisfies Record<string, LogEventEntry>;
