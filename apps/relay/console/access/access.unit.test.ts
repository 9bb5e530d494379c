import { ConfigurationError } from '@segue/process/environment.ts';
import { describe, expect, test } from 'vitest';
import { readConfiguration } from '../../configuration.ts';
import { ownPath } from './login.ts';
import { readSession, rightOf, sessionSeconds, writeSession } from './session.ts';
import { accessSettings } from './variables.ts';
import { actorOf } from './visitor.ts';

const tokens = { token: 'the token of those who act', readToken: 'the token of those who look' };

describe('a session', () => {
  const ada = { actor: 'Ada Løvelace ', right: 'act' } as const;

  test('is read as it was written', () => {
    expect(readSession(writeSession(ada, tokens), tokens)).toEqual(ada);
  });

  test('ends', () => {
    const written = writeSession(ada, tokens, 0);
    expect(readSession(written, tokens, sessionSeconds * 1_000 - 1)).toEqual(ada);
    expect(readSession(written, tokens, sessionSeconds * 1_000)).toBeNull();
  });

  test('of a reader does not become one that acts', () => {
    const reading = writeSession({ ...ada, right: 'read' }, tokens);
    expect(readSession(reading.replace(/^read/, 'act'), tokens)).toBeNull();
  });

  test('with another name or end is none', () => {
    const [right, end, actor, signature] = writeSession(ada, tokens).split('.');
    const other = Buffer.from('Eve').toString('base64url');
    expect(readSession([right, end, other, signature].join('.'), tokens)).toBeNull();
    expect(readSession([right, Number(end) + 1, actor, signature].join('.'), tokens)).toBeNull();
  });

  test('is over once the token is another, or is set no more', () => {
    const written = writeSession(ada, tokens);
    expect(readSession(written, { ...tokens, token: 'another token of those who act' })).toBeNull();
    expect(readSession(written, { ...tokens, token: undefined })).toBeNull();
  });

  test.each(['', 'act', 'act.1.x.y', 'x'.repeat(5_000)])('"%s" is none', text => {
    expect(readSession(text, tokens)).toBeNull();
  });
});

test('an empty token allows nothing, also where none is set', () => {
  expect(rightOf('', { token: undefined, readToken: undefined })).toBeNull();
  expect(rightOf('', tokens)).toBeNull();
  expect([rightOf(tokens.token, tokens), rightOf(tokens.readToken, tokens)]).toEqual(['act', 'read']);
});

test.each([
  ['/console/requests?status=dead', '/console/requests?status=dead'],
  ['//evil.example/console/', '/console/'],
  ['https://evil.example/console/', '/console/'],
  ['/\\evil.example/console/', '/console/'],
  ['/metrics', '/console/'],
  ['/console/../metrics', '/console/'],
  ['/console/login', '/console/'],
  [undefined, '/console/'],
])('after the login, %s leads to %s', (given, path) => {
  expect(ownPath(given)).toBe(path);
});

test.each([
  ['Ada', 'Ada'],
  [' Ada\r\nEve\0 ', 'Ada Eve'],
  ['\u202eadA', 'adA'],
  ['  ', null],
  ['x'.repeat(200), 'x'.repeat(100)],
])('%j is recorded as %j', (given, name) => {
  expect(actorOf(given)).toBe(name);
});

describe('variables', () => {
  const needed = {
    DATABASE_URL: 'postgres://localhost/segue',
    QDRANT_URL: 'http://localhost:6333',
    INNGEST_DEV: '1',
  };
  const read = (given: Record<string, string>) => accessSettings(readConfiguration({ ...needed, ...given }));

  test('nothing is set by default, and the relay is on loopback', () => {
    expect(read({})).toMatchObject({
      token: undefined,
      readToken: undefined,
      onLoopback: true,
      actingUsers: [],
    });
  });

  test('0.0.0.0 is not loopback', () => {
    expect(read({ RELAY_HOST: '0.0.0.0' }).onLoopback).toBe(false);
  });

  test('proxies are addresses and networks', () => {
    const { trustedProxies } = read({ CONSOLE_TRUSTED_PROXIES: '10.0.0.7, 10.1.0.0/16,fd00::/8' });
    expect(trustedProxies.check('10.1.2.3')).toBe(true);
    expect(trustedProxies.check('10.0.0.8')).toBe(false);
    expect(trustedProxies.check('fd12::1', 'ipv6')).toBe(true);
  });

  test.each([
    ['CONSOLE_TOKEN', { CONSOLE_TOKEN: 'short' }],
    ['CONSOLE_USER_HEADER', { CONSOLE_USER_HEADER: 'X-User' }],
    ['CONSOLE_USER_HEADER', { CONSOLE_USER_HEADER: 'X User', CONSOLE_TRUSTED_PROXIES: '10.0.0.7' }],
    ['CONSOLE_TRUSTED_PROXIES', { CONSOLE_TRUSTED_PROXIES: 'proxy' }],
    ['CONSOLE_TRUSTED_PROXIES', { CONSOLE_TRUSTED_PROXIES: '10.0.0.0/33' }],
    ['CONSOLE_TRUSTED_PROXIES', { CONSOLE_TRUSTED_PROXIES: ',' }],
    ['CONSOLE_READ_TOKEN', { CONSOLE_TOKEN: tokens.token, CONSOLE_READ_TOKEN: tokens.token }],
    ['CONSOLE_ACTING_USERS', { CONSOLE_ACTING_USERS: 'ada' }],
  ] as [string, Record<string, string>][])('%s is named when it is wrong: %j', (name, given) => {
    expect(() => read(given)).toThrow(ConfigurationError);
    expect(() => read(given)).toThrow(name);
  });
});
