import { expect, test } from 'vitest';
import { hostRuleOf, readConfiguration } from './configuration.ts';

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

test('hosts are looked at where nothing is signed, and elsewhere once some are listed', () => {
  const rule = (given: object) => hostRuleOf(readConfiguration({ ...dev, ...given }));
  const signed = { INNGEST_DEV: '0', INNGEST_SIGNING_KEY: 'signkey-test-00', INNGEST_EVENT_KEY: 'key' };
  expect(rule({})?.hosts).toEqual(['127.0.0.1']);
  expect(
    rule({ INNGEST_SERVE_ORIGIN: 'http://worker:4200', WORKER_ALLOWED_HOSTS: 'host.docker.internal' })?.hosts,
  ).toEqual(['127.0.0.1', 'worker', 'host.docker.internal']);
  expect(rule(signed)).toBeNull();
  expect(rule({ ...signed, WORKER_ALLOWED_HOSTS: 'worker' })?.hosts).toContain('worker');
});
