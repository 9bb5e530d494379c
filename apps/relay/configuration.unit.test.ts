import { expect, test } from 'vitest';
import { readConfiguration } from './configuration.ts';

const enough = {
  DATABASE_URL: 'postgres://db/segue',
  QDRANT_URL: 'http://qdrant:6333',
  INNGEST_EVENT_KEY: 'a-key',
};

test('what the contract has a default for needs no variable', () => {
  expect(readConfiguration(enough)).toMatchObject({
    RELAY_HOST: '127.0.0.1',
    RELAY_PORT: 4100,
    QDRANT_COLLECTION: 'tracks',
    RELAY_POLL_INTERVAL_MS: 1_000,
    RELAY_LEASE_MS: 5_000,
    RELAY_MAX_ATTEMPTS: 10,
    RELAY_DEDUPE_WINDOW_HOURS: 24,
    RELAY_RETENTION_DAYS: 7,
    LOG_LEVEL: 'info',
  });
});

test('what has none is named', () => {
  expect(() => readConfiguration({})).toThrow('DATABASE_URL is not set; QDRANT_URL is not set');
});

test('without an event key it must be a Dev Server', () => {
  const { INNGEST_EVENT_KEY: _, ...keyless } = enough;
  expect(() => readConfiguration(keyless)).toThrow(/^INNGEST_EVENT_KEY is not set.*INNGEST_DEV=1/);
  expect(() => readConfiguration({ ...keyless, INNGEST_DEV: '0' })).toThrow('INNGEST_EVENT_KEY is not set');
  expect(() => readConfiguration({ ...keyless, INNGEST_DEV: 'false' })).toThrow(
    'INNGEST_EVENT_KEY is not set',
  );
  for (const dev of ['1', 'true', 'http://127.0.0.1:8288']) {
    expect(readConfiguration({ ...keyless, INNGEST_DEV: dev }).INNGEST_DEV).toBe(dev);
  }
});

test.each([
  ['RELAY_BATCH_SIZE', '5001'],
  ['RELAY_CONCURRENCY', '0'],
  ['RELAY_LEASE_MS', '99'],
  ['RELAY_MAX_ATTEMPTS', '0'],
  ['RELAY_POLL_INTERVAL_MS', 'often'],
  ['INNGEST_BASE_URL', 'localhost:8288'],
  ['QDRANT_URL', 'qdrant'],
])('%s=%s is refused by name', (name, value) => {
  expect(() => readConfiguration({ ...enough, [name]: value })).toThrow(new RegExp(`^${name} must be`));
});
