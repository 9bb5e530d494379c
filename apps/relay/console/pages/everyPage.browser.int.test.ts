import { createHttpServer } from '@segue/http/server.ts';
import { chromiumPath } from '@segue/testing/chromium.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { pino } from 'pino';
import { beforeAll, describe, expect, test } from 'vitest';
import { serveConsole } from '../console.ts';
import { axeFindings, useBrowser } from '../test/browser.ts';
import { createConsole, guardedAccess, openAccess, readingToken } from '../test/console.ts';
import { fillScene } from '../test/scene.ts';

/** An address of each page. */
const addresses: Record<string, string> = {
  '/console/': '/console/',
  '/console/login': '/console/login',
  '/console/requests': '/console/requests?status=pending',
  '/console/recordings/:isrc': '/console/recordings/QMSEG0000666',
  '/console/albums': '/console/albums',
  '/console/albums/:id': '/console/albums/1',
  '/console/act': '/console/act?scope=all&action=reschedule&status=pending',
  '/console/actions': '/console/actions',
  '/console/actions/:id': '/console/actions/3',
  '/console/sending': '/console/sending',
};
/** What is asked for by a page, and is none. */
const parts = ['/console/live', '/console/minutes.json', '/console/actions/:id/progress'];

const database = useDatabase();

test('every route that answers a page is looked at below', async () => {
  const routes: string[] = [];
  const logger = pino({ level: 'silent' });
  const server = createHttpServer({ logger, hostRule: null, finishWithinMs: 1_000 });
  server.addHook('onRoute', ({ method, url }) => {
    if (method === 'GET' && url.startsWith('/console') && !url.startsWith('/console/assets/'))
      routes.push(url);
  });
  await serveConsole(server, { sql: database.sql, health: () => [], logger, access: openAccess });
  await server.close();
  const pages = new Set(routes.map(route => (route === '/console' ? '/console/' : route)));
  for (const part of parts) pages.delete(part);
  expect([...pages].sort()).toEqual(Object.keys(addresses).sort());
});

describe.skipIf(chromiumPath === undefined)('in a browser', () => {
  const browser = useBrowser();
  beforeAll(async () => {
    await fillScene(database.sql);
  });

  /** A page for somebody who acts, in both widths and themes. */
  async function open(address: string) {
    const isLogin = address === '/console/login';
    const access = isLogin ? guardedAccess : openAccess;
    return await browser.open(await createConsole({ sql: database.sql, access }), address);
  }

  // With hostile values, the light theme is looked at in the wide and the dark one in the narrow width.
  test.each(Object.values(addresses))(
    '%s: axe finds nothing, a telephone shows all of it, and nothing moves',
    async address => {
      const page = await open(address);
      await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
      expect(await axeFindings(page)).toEqual([]);
      await page.setViewportSize({ width: 390, height: 844 });
      await page.emulateMedia({ colorScheme: 'light' });
      expect(await axeFindings(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
      const moving = await page.evaluate(`[...document.querySelectorAll('*')].filter(element => {
      const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
      return transitionDuration !== '0s' || animationName !== 'none' || scrollBehavior === 'smooth';
    }).map(element => element.outerHTML)`);
      expect(moving).toEqual([]);
    },
  );

  test('a progress without an end does not move for who asks for less motion', async () => {
    const page = await open('/console/actions/3');
    await page.evaluate(`document.querySelector('main').append(document.createElement('progress'))`);
    const appearance = () => page.evaluate(`getComputedStyle(document.querySelector('progress')).appearance`);
    expect(await appearance()).not.toBe('none');
    await page.emulateMedia({ reducedMotion: 'reduce' });
    expect(await appearance()).toBe('none');
  });

  test('a token that is unknown is told at the login, in which axe finds nothing', async () => {
    const page = await open('/console/login');
    await page.getByLabel('Your name').fill('Grace');
    await page.getByLabel('Token').fill('a token that nobody knows');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    expect(await axeFindings(page)).toEqual([]);
  });

  test.each([
    '/console/',
    '/console/requests?status=dead',
    '/console/act?action=requeue&id=1',
    '/console/nowhere',
  ])('%s: axe finds nothing for who may only look', async address => {
    const server = await createConsole({ sql: database.sql, access: guardedAccess });
    const headers = { authorization: `Bearer ${readingToken}` };
    const page = await browser.open(server, address, { extraHTTPHeaders: headers });
    expect(await page.getByText('read-only').first().isVisible()).toBe(true);
    expect(await axeFindings(page)).toEqual([]);
  });
});
