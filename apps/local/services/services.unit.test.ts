import { describe, expect, test } from 'vitest';
import { readConfiguration } from '../configuration.ts';
import { findRealServices } from './services.ts';

const real = (environment: Record<string, string>) => findRealServices(readConfiguration(environment));
const tidalKeys = { TIDAL_CLIENT_ID: 'id', TIDAL_CLIENT_SECRET: 'secret' };

test('nothing is real by itself, and an empty variable is none', () => {
  const none = { PostgreSQL: null, TIDAL: null, Qdrant: null, Inngest: null };
  expect(real({})).toEqual(none);
  expect(real({ DATABASE_URL: '', QDRANT_URL: ' ', INNGEST_DEV: '' })).toEqual(none);
});

test('each is real as soon as it is configured, and shown without credentials', () => {
  expect(real({ DATABASE_URL: 'postgres://user:hidden@db:5432/segue?password=hidden' })).toMatchObject({
    PostgreSQL: 'postgres://db:5432/segue',
    TIDAL: null,
  });
  expect(real(tidalKeys).TIDAL).toBe('https://openapi.tidal.com/v2');
  expect(real({ ...tidalKeys, TIDAL_API_URL: 'http://proxy/v2/' }).TIDAL).toBe('http://proxy/v2');
  expect(real({ QDRANT_URL: 'https://qdrant/' }).Qdrant).toBe('https://qdrant');
  expect(() => real({ QDRANT_URL: 'https://key:hidden@qdrant/' })).toThrow(/^QDRANT_URL must be [a-z ]+$/);
});

test.each([
  [{ INNGEST_EVENT_KEY: 'key' }, 'https://inn.gs'],
  [{ INNGEST_DEV: '1' }, 'http://localhost:8288'],
  [{ INNGEST_DEV: 'http://dev:8288' }, 'http://dev:8288'],
  [{ INNGEST_DEV: '1', INNGEST_BASE_URL: 'http://base:1' }, 'http://base:1'],
  [{ INNGEST_BASE_URL: 'http://base:1', INNGEST_EVENT_API_BASE_URL: 'http://events:2' }, 'http://events:2'],
])('%j is the Inngest at %s', (environment, address) => {
  expect(real(environment as Record<string, string>).Inngest).toBe(address);
});

describe('what is half configured is no stand-in', () => {
  test.each([
    [{ TIDAL_CLIENT_ID: 'id' }, 'TIDAL_CLIENT_SECRET is not set, though TIDAL_CLIENT_ID is'],
    [{ TIDAL_CLIENT_SECRET: 's' }, 'TIDAL_CLIENT_ID is not set, though TIDAL_CLIENT_SECRET is'],
    [
      { TIDAL_API_URL: 'http://x' },
      'TIDAL_CLIENT_ID and TIDAL_CLIENT_SECRET are not set, though TIDAL_API_URL is',
    ],
    [{ QDRANT_API_KEY: 'key' }, 'QDRANT_URL is not set, though QDRANT_API_KEY is'],
  ])('%j', (environment, problem) => {
    expect(() => real(environment as Record<string, string>)).toThrow(problem);
  });
});
