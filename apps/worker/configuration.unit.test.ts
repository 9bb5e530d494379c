import { expect, test } from 'vitest';
import { readConfiguration } from './configuration.ts';

const dev = { QDRANT_URL: 'http://127.0.0.1:6333', INNGEST_DEV: '1' };

test('a Dev Server and an index are enough', () => {
  expect(readConfiguration(dev)).toMatchObject({
    WORKER_HOST: '127.0.0.1',
    WORKER_PORT: 4200,
    WORKER_RETRIES: 5,
    WORKER_CONCURRENCY: 10,
    WORKER_THROTTLE_PER_MINUTE: 10,
    QDRANT_COLLECTION: 'tracks',
    EMBEDDING_PROVIDER: 'hashed',
    isDev: true,
  });
});

test.each([
  [{ ...dev, QDRANT_URL: undefined }, 'QDRANT_URL is not set'],
  [{ ...dev, WORKER_PORT: 'x' }, 'WORKER_PORT must be a whole number'],
  [{ ...dev, WORKER_RETRIES: '21' }, 'WORKER_RETRIES must be a whole number from 0 to 20'],
  [{ ...dev, INNGEST_DEV: '0' }, 'INNGEST_SIGNING_KEY is not set'],
  [{ ...dev, INNGEST_DEV: '', INNGEST_SIGNING_KEY: 'signkey-test-00' }, 'INNGEST_EVENT_KEY is not set'],
  [{ ...dev, EMBEDDING_PROVIDER: 'magic' }, 'EMBEDDING_PROVIDER must be one of hashed, tei, openai, none'],
  [{ ...dev, EMBEDDING_PROVIDER: 'tei' }, 'EMBEDDING_URL is not set, and EMBEDDING_PROVIDER=tei needs it'],
  [
    { ...dev, EMBEDDING_PROVIDER: 'openai', EMBEDDING_URL: 'http://ollama:11434' },
    'EMBEDDING_MODEL is not set, and EMBEDDING_PROVIDER=openai needs it',
  ],
])('%j is refused by the name of the variable', (environment, problem) => {
  expect(() => readConfiguration(environment)).toThrow(problem);
});
