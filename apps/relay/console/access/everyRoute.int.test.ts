import { createHttpServer } from '@segue/http/server.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { pino } from 'pino';
import { beforeAll, describe, expect, test } from 'vitest';
import { serveConsole } from '../console.ts';
import {
  actingToken,
  createConsole,
  form,
  fromOwnPage,
  guardedAccess,
  openAccess,
  readingToken,
} from '../test/console.ts';
import { fillScene } from '../test/scene.ts';

const database = useDatabase();
beforeAll(() => fillScene(database.sql));

/** Served to everybody: the login and the files, which are the same in every image. */
const isOpen = (url: string) => url === '/console/login' || url.startsWith('/console/assets/');
const values: Record<string, string> = { ':isrc': 'QMSEG0000666', ':id': '1' };

/** Every route of the console, with an address that has something behind it. */
async function allRoutes(): Promise<{ method: 'GET' | 'POST'; url: string }[]> {
  const routes: { method: 'GET' | 'POST'; url: string }[] = [];
  const logger = pino({ level: 'silent' });
  const server = createHttpServer({ logger, hostRule: null, finishWithinMs: 1_000 });
  server.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) {
      if (!url.startsWith('/console') || (each !== 'GET' && each !== 'POST')) continue;
      routes.push({ method: each as 'GET' | 'POST', url: url.replace(/:\w+/g, name => values[name] ?? '1') });
    }
  });
  await serveConsole(server, { sql: database.sql, health: () => [], logger, access: openAccess });
  await server.close();
  return routes;
}

const dead = async () => {
  const [row] = await database.sql<[{ id: number }]>`SELECT id FROM ingestion_outbox WHERE status = 'dead'`;
  return row.id;
};

/** What each form would do, were it let in. */
async function payloadFor(url: string): Promise<string> {
  const why = 'nobody may';
  if (url === '/console/sending') return form({ action: 'pause', why });
  return form({ action: 'discard', scope: 'chosen', id: String(await dead()), why });
}

async function state() {
  const [actions] = await database.sql`SELECT count(*)::int AS count FROM ingestion_actions`;
  const [control] = await database.sql`SELECT paused_at FROM relay_control`;
  return { actions: actions?.count, pausedAt: control?.paused_at, dead: await dead() };
}

type Headers = Record<string, string>;

async function statuses(headers: Headers, wanted: (route: { method: string; url: string }) => boolean) {
  const server = await createConsole({ sql: database.sql, access: guardedAccess });
  const found: Record<string, number> = {};
  for (const { method, url } of (await allRoutes()).filter(wanted)) {
    const payload = method === 'POST' ? { payload: await payloadFor(url) } : {};
    const answer = await server.inject({ method, url, headers, ...payload });
    found[`${method} ${url}`] = answer.statusCode;
  }
  return found;
}

const formType = { 'content-type': fromOwnPage['content-type'] };

test('nobody without a token is served any route but the login and the files', async () => {
  const before = await state();
  const found = await statuses(fromOwnPage, ({ url }) => !isOpen(url));
  expect(Object.keys(found).length).toBeGreaterThan(12);
  expect(new Set(Object.values(found))).toEqual(new Set([401]));
  expect(await state()).toEqual(before);
});

test('who may only look is refused every form but signing out, and nothing is changed', async () => {
  const before = await state();
  const headers = { ...fromOwnPage, authorization: `Bearer ${readingToken}` };
  const found = await statuses(headers, ({ method, url }) => method === 'POST' && !isOpen(url));
  expect(found).toEqual({
    'POST /console/act': 403,
    'POST /console/sending': 403,
    'POST /console/logout': 303,
  });
  expect(await statuses(headers, ({ method, url }) => method === 'GET' && url === '/console/act')).toEqual({
    'GET /console/act': 403,
  });
  expect(await state()).toEqual(before);
});

describe('with the session of somebody who acts', () => {
  /** The cookie that a browser adds by itself, whoever made the request. */
  async function cookie(token = actingToken): Promise<string> {
    const server = await createConsole({ sql: database.sql, access: guardedAccess });
    const answer = await server.inject({
      method: 'POST',
      url: '/console/login',
      headers: fromOwnPage,
      payload: form({ name: 'Ada', token }),
    });
    return String(answer.headers['set-cookie']).split(';')[0] as string;
  }

  test.each<Headers>([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    {},
  ])('a form that says %j is refused at every route', async said => {
    const before = await state();
    const headers = { ...formType, ...said, cookie: await cookie() };
    const found = await statuses(headers, ({ method }) => method === 'POST');
    expect(Object.keys(found)).toHaveLength(4);
    expect(new Set(Object.values(found))).toEqual(new Set([403]));
    expect(await state()).toEqual(before);
  });

  test.each([
    ['with the right changed', (text: string) => text.replace('=read.', '=act.')],
    ['with a longer end', (text: string) => text.replace(/\.(\d+)\./, (_, end) => `.${Number(end) + 1}.`)],
    ['with another name', (text: string) => text.replace(/\.[\w-]+(?=\.[\w-]{43}$)/, '.RXZl')],
    ['without its signature', (text: string) => text.slice(0, -44)],
  ])('a cookie %s is worth nothing', async (_, change) => {
    const changed = change(await cookie(readingToken));
    const found = await statuses({ ...fromOwnPage, cookie: changed }, ({ url }) => !isOpen(url));
    expect(new Set(Object.values(found))).toEqual(new Set([401]));
  });
});

describe('values that no page gives', () => {
  const cursor = (text: string) => Buffer.from(text).toString('base64url');
  const numbers = [
    '0',
    '-1',
    '1.5',
    '1e9',
    'NaN',
    '9'.repeat(19),
    '9'.repeat(400),
    '٣',
    '1%00',
    "1'--",
    '[]',
  ];
  const cursors = [
    'x',
    cursor('BBBBBBBBBB|1'),
    cursor('294277-01-01 00:00:00+00|1'),
    cursor('2026-13-45 99:99:99+00|1'),
    cursor('2026-11-28 10:00:00+99|1'),
    cursor('2026-02-30 10:00:00+00|1'),
    cursor('0000-02-20 10:00:00+00|1'),
    cursor('99999-12-31 23:59:59.999999-15:59:59|1'),
    cursor(`infinity|${'9'.repeat(19)}`),
    cursor(`-infinity|-${'9'.repeat(19)}`),
  ];
  const paths = [
    ...numbers.flatMap(value => [
      `/console/albums/${value}`,
      `/console/actions/${value}`,
      `/console/actions/${value}/progress`,
      `/console/albums?before=${value}`,
      `/console/actions?before=${value}`,
      `/console/requests?attempts=${value}&batch=${value}`,
      `/console/act?action=discard&id=${value}&id=${value}`,
      `/console/act?action=reschedule&scope=all&status=pending&at=${value}&attempts=${value}&batch=${value}`,
      `/console/recordings/${value}`,
    ]),
    ...cursors.flatMap(after =>
      ['', 'pending', 'dead'].flatMap(status =>
        ['newest', 'oldest'].map(order => `/console/requests?status=${status}&order=${order}&after=${after}`),
      ),
    ),
    '/console/?range=century&range=hour',
    '/console/minutes.json?range=__proto__',
    '/console/requests?status=constructor&older=toString&newer=__proto__&order=x&q=%00&album[]=1',
    '/console/requests?q=%ff%fe',
    `/console/requests?q=${'w'.repeat(5_000)}`,
    '/console/recordings/%00',
    '/console/recordings/..%2f..%2fetc',
    '/console/login?to=//evil.example/console/',
    '/console/login?to=%5c%5cevil.example',
  ];

  test('are no error of ours', async () => {
    const logged: unknown[] = [];
    const logger = Object.assign(pino({ level: 'silent' }), { error: (line: unknown) => logged.push(line) });
    const server = await createConsole({ sql: database.sql, logger });
    const failed: string[] = [];
    for (const url of paths) {
      const { statusCode } = await server.inject({ url, headers: { host: 'localhost' } });
      if (statusCode >= 500) failed.push(`${statusCode} ${url}`);
    }
    expect(failed).toEqual([]);
    expect(logged).toEqual([]);
  });
});
