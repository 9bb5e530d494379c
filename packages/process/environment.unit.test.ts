import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  ConfigurationError,
  httpUrl,
  logLevel,
  port,
  readEnvironment,
  secret,
  wholeNumber,
} from './environment.ts';
import { inngestDev } from './inngestMode.ts';

const schema = z.object({
  DATABASE_URL: z.string(),
  QDRANT_URL: httpUrl,
  API_KEY: secret.optional(),
  INNGEST_DEV: inngestDev.optional(),
  RELAY_PORT: port(4100),
  BATCH_SIZE: wholeNumber(500, { min: 1, max: 5_000 }),
  LOG_LEVEL: logLevel,
});

const enough = { DATABASE_URL: 'postgres://somebody@db/segue', QDRANT_URL: 'https://qdrant' };

function problemOf(environment: NodeJS.ProcessEnv): string {
  try {
    readEnvironment(schema, environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message;
  }
  throw new Error('nothing was wrong');
}

test('what is not set has its default', () => {
  expect(readEnvironment(schema, enough)).toEqual({
    ...enough,
    RELAY_PORT: 4100,
    BATCH_SIZE: 500,
    LOG_LEVEL: 'info',
  });
});

test('numbers are numbers, space around a value is dropped, and so are slashes behind an address', () => {
  const environment = {
    ...enough,
    QDRANT_URL: ' http://qdrant:6333/base// ',
    BATCH_SIZE: ' 1 ',
    RELAY_PORT: '0',
    LOG_LEVEL: 'silent\n',
    NOT_OURS: 'x',
  };
  expect(readEnvironment(schema, environment)).toEqual({
    ...enough,
    QDRANT_URL: 'http://qdrant:6333/base',
    BATCH_SIZE: 1,
    RELAY_PORT: 0,
    LOG_LEVEL: 'silent',
  });
});

test('an empty variable is one that is not set', () => {
  const environment = { DATABASE_URL: '', QDRANT_URL: '  ', BATCH_SIZE: '', API_KEY: '' };
  expect(problemOf(environment)).toBe('DATABASE_URL is not set; QDRANT_URL is not set');
  expect(readEnvironment(schema, { ...enough, BATCH_SIZE: '', API_KEY: '' })).toMatchObject({
    BATCH_SIZE: 500,
    API_KEY: undefined,
  });
});

test('every variable that is wrong is named, with what it must be', () => {
  const environment = { DATABASE_URL: 'db', QDRANT_URL: 'qdrant:6333', BATCH_SIZE: 'many' };
  const problem = problemOf({ ...environment, LOG_LEVEL: 'loud' });
  expect(problem).toMatch(/QDRANT_URL must be an http:\/\/ or https:\/\/ address/);
  expect(problem).toMatch(/BATCH_SIZE must be a whole number from 1 to 5000/);
  expect(problem).toMatch(/LOG_LEVEL must be one of fatal, error/);
  expect(problem).not.toContain('\n');
});

describe('a value is never repeated, since it may be a secret', () => {
  const secret = 'hunter2';
  test.each(['QDRANT_URL', 'RELAY_PORT', 'BATCH_SIZE', 'LOG_LEVEL'])('%s', name => {
    const problem = problemOf({ ...enough, [name]: secret });
    expect(problem).toContain(name);
    expect(problem).not.toContain(secret);
  });
});

test.each(['0', '5001', '-1', '1.5', '1e3', '0x10', 'NaN', '1 000', '99999999999999999999'])(
  '%s is no batch size',
  value => {
    expect(problemOf({ ...enough, BATCH_SIZE: value })).toBe(
      'BATCH_SIZE must be a whole number from 1 to 5000',
    );
  },
);

test.each(['65536', '-1', '80a'])('%s is no port', value => {
  expect(problemOf({ ...enough, RELAY_PORT: value })).toBe(
    'RELAY_PORT must be a whole number from 0 to 65535',
  );
});

test.each([
  ['QDRANT_URL', 'http://somebody:hunter2@qdrant:6333'],
  ['QDRANT_URL', 'https://hunter2@qdrant'],
  ['QDRANT_URL', 'https://:hunter2@qdrant'],
  ['QDRANT_URL', 'https://some%40body:hunter2@qdrant/base?x=1'],
  ['INNGEST_DEV', 'http://somebody:hunter2@127.0.0.1:8288'],
])('%s with a login in it is refused: %s', (name, value) => {
  const problem = problemOf({ ...enough, [name]: value });
  expect(problem).toMatch(new RegExp(`^${name} must be an address without a user and a password`));
  expect(problem).not.toMatch(/hunter2|somebody/);
});

test.each([
  ['a line break', 'hunter2\nhunter3'],
  ['a carriage return', 'hunter2\rhunter3'],
  ['a tab', 'hunter2\thunter3'],
  ['a NUL', 'hunter2\0hunter3'],
  ['an umlaut', 'hünter2'],
  ['a dash that a word processor made', 'hunter–2'],
  ['a space without a width', 'hunter\u200b2'],
])('a secret with %s is refused', (_, value) => {
  expect(problemOf({ ...enough, API_KEY: value })).toBe(
    'API_KEY must have no line break and no character outside of ASCII',
  );
});

test('any other character may be in a secret', () => {
  const ascii = Array.from({ length: 0x7f - 0x21 }, (_, at) => String.fromCharCode(0x21 + at)).join('');
  expect(readEnvironment(schema, { ...enough, API_KEY: `${ascii} ${ascii}` }).API_KEY).toBe(
    `${ascii} ${ascii}`,
  );
});
