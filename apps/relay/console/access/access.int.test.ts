import { BlockList } from 'node:net';
import { useDatabase } from '@segue/testing/database.ts';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import {
  actingToken,
  createConsole,
  form,
  fromOwnPage,
  guardedAccess,
  readingToken,
} from '../test/console.ts';
import type { AccessSettings } from './variables.ts';

const database = useDatabase();
const consoleWith = (access: Partial<AccessSettings> = {}) => createConsole({ sql: database.sql, access });

const asPage = { accept: 'text/html' };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Signs in, and returns the cookie. */
async function signIn(server: Awaited<ReturnType<typeof consoleWith>>, token = actingToken, headers = {}) {
  const answer = await server.inject({
    method: 'POST',
    url: '/console/login',
    headers: { ...fromOwnPage, ...headers },
    payload: form({ name: 'Ada', token, to: '/console/' }),
  });
  const cookie = String(answer.headers['set-cookie'] ?? '');
  return { answer, cookie, headers: { cookie: cookie.split(';')[0] } };
}

describe('off loopback without a token', () => {
  test.each(['/console/', '/console/login', '/console/nothing'])(
    '%s serves nothing, and says what to set',
    async url => {
      const server = await consoleWith({ onLoopback: false });
      const { statusCode, body } = await server.inject({ url, headers: asPage });
      expect(statusCode).toBe(403);
      expect(body).toContain('Set CONSOLE_TOKEN');
    },
  );

  test('a user header that no proxy is trusted for lets nobody in', async () => {
    const server = await consoleWith({ onLoopback: false, userHeader: 'x-user' });
    expect((await server.inject({ url: '/console/', headers: { 'x-user': 'ada' } })).statusCode).toBe(403);
  });
});

describe('on loopback without a token', () => {
  test.each(['localhost:4100', '127.0.0.1:4100', '[::1]:4100'])('%s is served', async host => {
    const server = await consoleWith();
    expect((await server.inject({ url: '/console/', headers: { host } })).statusCode).toBe(200);
  });

  test('another name is refused, since a page elsewhere can make one lead here', async () => {
    const server = await consoleWith();
    const { statusCode, body } = await server.inject({
      url: '/console/',
      headers: { host: 'evil.example:4100' },
    });
    expect([statusCode, body]).toEqual([403, expect.stringContaining('Not under this name')]);
  });

  test.each(['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'])(
    'what came through a proxy (%s) is refused',
    async header => {
      const server = await consoleWith();
      const headers = { host: 'localhost', [header]: '203.0.113.7' };
      expect((await server.inject({ url: '/console/', headers })).statusCode).toBe(403);
    },
  );
});

describe('a token', () => {
  test('a page without one leads to the login, which leads back', async () => {
    const server = await consoleWith(guardedAccess);
    const { statusCode, headers } = await server.inject({ url: '/console/?range=day', headers: asPage });
    expect([statusCode, headers.location]).toEqual([303, '/console/login?to=%2Fconsole%2F%3Frange%3Dday']);
    const login = await server.inject({ url: String(headers.location) });
    expect(login.body).toContain('name="to" value="/console/?range=day"');
  });

  test('signing in gives a cookie of the console alone, and the page', async () => {
    const server = await consoleWith(guardedAccess);
    const { answer, cookie, headers } = await signIn(server);
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/console/']);
    expect(cookie).toMatch(/; Path=\/console; HttpOnly; SameSite=Strict$/);
    const page = await server.inject({ url: '/console/', headers });
    expect([page.statusCode, page.body]).toEqual([200, expect.stringContaining('Ada')]);
  });

  test('the cookie is sent over HTTPS alone where a trusted proxy says that it is HTTPS', async () => {
    const trustedProxies = new BlockList();
    trustedProxies.addAddress('127.0.0.1');
    const https = { 'x-forwarded-proto': 'https' };
    const trusting = await consoleWith({ ...guardedAccess, trustedProxies });
    expect((await signIn(trusting, actingToken, https)).cookie).toContain('; Secure');
    const plain = await consoleWith(guardedAccess);
    expect((await signIn(plain, actingToken, https)).cookie).not.toContain('Secure');
  });

  test.each(['', 'wrong', `${actingToken} `.repeat(2), readingToken.slice(1)])(
    '"%s" is refused',
    async token => {
      const server = await consoleWith(guardedAccess);
      const { answer, cookie } = await signIn(server, token);
      expect([answer.statusCode, cookie]).toEqual([401, '']);
      expect(answer.body).toContain('This token is unknown here');
    },
  );

  test('each refused token is logged without it, at the login and as a bearer, and a missing name is none', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'warn' }, { write: line => lines.push(line) });
    const server = await createConsole({ sql: database.sql, access: guardedAccess, logger });
    await signIn(server, 'guessed at the login');
    await server.inject({ url: '/console/', headers: bearer('guessed as a bearer') });
    await server.inject({ url: '/console/', headers: asPage });
    await server.inject({ url: '/console/', headers: bearer(readingToken) });
    await server.inject({
      method: 'POST',
      url: '/console/login',
      headers: fromOwnPage,
      payload: form({ token: actingToken }),
    });
    await server.close();
    expect(lines.map(line => JSON.parse(line))).toMatchObject([
      { event: 'console_sign_in_refused', refused: 1 },
      { event: 'console_sign_in_refused', refused: 1 },
    ]);
    expect(lines.join()).not.toContain('guessed');
  });

  test('a name is asked for, since actions are recorded under it', async () => {
    const server = await consoleWith(guardedAccess);
    const { statusCode, body } = await server.inject({
      method: 'POST',
      url: '/console/login',
      headers: fromOwnPage,
      payload: form({ name: ' \u200b ', token: actingToken }),
    });
    expect([statusCode, body]).toEqual([401, expect.stringContaining('Say who you are')]);
  });

  test('signing out takes the cookie back', async () => {
    const server = await consoleWith(guardedAccess);
    const { headers } = await signIn(server);
    const answer = await server.inject({
      method: 'POST',
      url: '/console/logout',
      headers: { ...fromOwnPage, ...headers },
    });
    expect(answer.statusCode).toBe(303);
    expect(String(answer.headers['set-cookie'])).toMatch(/^segue_console=; Max-Age=0; Path=\/console/);
  });

  test('the token itself is taken as a bearer, and another is not', async () => {
    const server = await consoleWith(guardedAccess);
    const status = async (token: string) =>
      (await server.inject({ url: '/console/', headers: bearer(token) })).statusCode;
    expect([await status(actingToken), await status(readingToken), await status('x')]).toEqual([
      200, 200, 401,
    ]);
  });

  test('the health of the relay is open', async () => {
    const server = await consoleWith(guardedAccess);
    expect((await server.inject('/livez')).statusCode).toBe(200);
  });
});

describe('a user header', () => {
  async function served(header: Record<string, string | string[]>, remoteAddress = '10.1.2.3') {
    const trustedProxies = new BlockList();
    trustedProxies.addSubnet('10.1.0.0', 16);
    const server = await consoleWith({ onLoopback: false, userHeader: 'x-user', trustedProxies });
    return await server.inject({ url: '/console/', headers: header, remoteAddress });
  }

  test('is believed from a trusted proxy', async () => {
    const { statusCode, body } = await served({ 'x-user': 'ada@example.com' });
    expect([statusCode, body]).toEqual([200, expect.stringContaining('ada@example.com')]);
  });

  test.each(['10.2.0.1', '127.0.0.1', '::1', '::ffff:10.2.0.1'])('is nothing from %s', async address => {
    expect((await served({ 'x-user': 'ada' }, address)).statusCode).toBe(403);
  });

  test('is believed from a proxy whose address is written as IPv6', async () => {
    expect((await served({ 'x-user': 'ada' }, '::ffff:10.1.2.3')).statusCode).toBe(200);
  });

  test('is nothing when it is there twice, since one of them may be a stranger', async () => {
    expect((await served({ 'x-user': ['ada', 'eve'] })).statusCode).toBe(403);
  });

  test('is nothing when it is empty', async () => {
    expect((await served({ 'x-user': '' })).statusCode).toBe(403);
  });
});

describe('forms of other sites', () => {
  const post = async (headers: Record<string, string>) => {
    const server = await consoleWith();
    const { statusCode } = await server.inject({
      method: 'POST',
      url: '/console/logout',
      headers: { host: '127.0.0.1:4100', 'content-type': fromOwnPage['content-type'], ...headers },
      payload: '',
    });
    return statusCode;
  };

  test.each([
    [303, { 'sec-fetch-site': 'same-origin' }],
    [303, { 'sec-fetch-site': 'none' }],
    [403, { 'sec-fetch-site': 'same-site' }],
    [403, { 'sec-fetch-site': 'cross-site' }],
    [403, { 'sec-fetch-site': 'cross-site', origin: 'http://127.0.0.1:4100' }],
    [303, { origin: 'http://127.0.0.1:4100' }],
    [403, { origin: 'http://127.0.0.1:4101' }],
    [403, { origin: 'null' }],
    [403, {}],
  ])('%i for %j', async (status, headers) => {
    expect(await post(headers as Record<string, string>)).toBe(status);
  });

  test('a program with the token needs neither header', async () => {
    const server = await consoleWith(guardedAccess);
    const { statusCode } = await server.inject({
      method: 'POST',
      url: '/console/logout',
      headers: bearer(actingToken),
    });
    expect(statusCode).toBe(303);
  });
});

test('answers allow nothing but what the image holds, and are kept nowhere', async () => {
  const server = await consoleWith();
  const { headers, body } = await server.inject({ url: '/console/', headers: { host: 'localhost' } });
  expect(headers['content-security-policy']).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  );
  expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
  expect(body).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=/);
});

test('/ leads to the console', async () => {
  const server = await consoleWith();
  const { statusCode, headers } = await server.inject('/');
  expect([statusCode, headers.location]).toEqual([302, '/console/']);
});

test('an unknown address is a page that says so', async () => {
  const server = await consoleWith();
  const { statusCode, body } = await server.inject({
    url: '/console/nothing',
    headers: { host: 'localhost' },
  });
  expect([statusCode, body]).toEqual([404, expect.stringContaining('There is nothing here')]);
});
