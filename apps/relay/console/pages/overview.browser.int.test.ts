import { chromiumPath } from '@segue/testing/chromium.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Dependency } from '../live/dependencies.ts';
import { axeFindings, useBrowser } from '../test/browser.ts';
import { createConsole } from '../test/console.ts';
import { fillScene } from '../test/scene.ts';

const away: Dependency = {
  name: 'Inngest',
  state: 'unavailable',
  summary: 'takes no events',
  since: new Date(),
};

describe.skipIf(chromiumPath === undefined)('the overview in a browser', () => {
  const database = useDatabase();
  const browser = useBrowser();
  beforeAll(() => fillScene(database.sql));

  test.each([
    [1280, 800],
    [390, 844],
  ])('says each of four facts where one looks first, on a screen of %i by %i', async (width, height) => {
    await database.sql`UPDATE relays SET last_heartbeat = now(), state = 'held_back'`;
    const server = await createConsole({ sql: database.sql, health: () => [away] });
    const page = await browser.open(server, '/console/', { viewport: { width, height } });
    const findings = page.locator('[data-live=findings]');
    const facts = [
      'Inngest has taken no events',
      '200 requests wait to be sent',
      '1 dead request',
      '1 album waits for TIDAL',
    ];
    for (const fact of facts) {
      // The part may be put in place anew just now.
      await eventually(async () => {
        const box = await findings.getByText(fact).first().boundingBox();
        expect(box, fact).not.toBeNull();
        expect((box?.y ?? 0) + (box?.height ?? 0), fact).toBeLessThan(height);
      });
    }
    expect(await page.locator('.cards').textContent()).toMatch(/Waiting\s*200/);
    await page.locator('.uplot').nth(1).waitFor();
  });

  test('a chart has values in its legend while somebody points at it, and no dashes before', async () => {
    const server = await createConsole({ sql: database.sql });
    const page = await browser.open(server, '/console/');
    await page.locator('.uplot').nth(1).waitFor();
    const values = () => page.locator('.uplot').first().locator('.u-value').allTextContents();
    expect(await values()).toEqual(['', '', '', '', '']);
    await page.locator('.u-over').first().hover();
    await eventually(async () => expect(await values()).toContainEqual(expect.stringMatching(/^\d\d:\d\d$/)));
    expect(await values()).not.toContain('');
  });

  test('what is painted first waits for one stylesheet and for no chart', async () => {
    const server = await createConsole({ sql: database.sql });
    const page = await browser.open(server, '/console/');
    await page.locator('.uplot').nth(1).waitFor();
    const { painted, library, styles } = (await page.evaluate(`({
      painted: performance.getEntriesByName('first-contentful-paint')[0].startTime,
      library: performance.getEntriesByType('resource').find(({ name }) => name.endsWith('uplot.js')).startTime,
      styles: document.querySelectorAll('link[rel=stylesheet]').length,
    })`)) as { painted: number; library: number; styles: number };
    expect(library).toBeGreaterThanOrEqual(painted);
    expect(styles).toBe(1);
  });

  test('a telephone has the way on below what a banner says, no empty tile, and a button to pause', async () => {
    const server = await createConsole({ sql: database.sql, health: () => [away] });
    const page = await browser.open(server, '/console/', { viewport: { width: 390, height: 844 } });
    const banner = page.locator('.findings li').first();
    const said = await banner.locator('.then').boundingBox();
    const way = await banner.getByRole('link', { name: 'See the services' }).boundingBox();
    expect(way?.y).toBeGreaterThanOrEqual((said?.y ?? 0) + (said?.height ?? 0));
    const widths = (await page.evaluate(
      `[...document.querySelectorAll('.cards > div')].map(tile => tile.getBoundingClientRect().width)`,
    )) as number[];
    const whole = Math.max(...widths);
    // Rows of one, two and two.
    expect(widths.filter(width => width > whole - 2).length).toBe(1);
    expect(widths.filter(width => Math.abs(width - whole / 2) < 2).length).toBe(4);
    await page.getByRole('link', { name: 'Pause sending…' }).click();
    await page.getByRole('heading', { name: 'Pause sending' }).waitFor();
  });

  test('services have what the API tells of TIDAL by the database', async () => {
    const server = await createConsole({ sql: database.sql, health: () => [away] });
    const page = await browser.open(server, '/console/');
    const tidal = page.locator('#services tr', { hasText: 'TIDAL' });
    expect(await tidal.textContent()).toMatch(/fails: 503 Service Unavailable\s*2 h/);
  });

  test('while nothing is sent, the page says since when, of figures as well', async () => {
    const server = await createConsole({ sql: database.sql });
    const page = await browser.open(server, '/console/');
    expect(await page.locator('.cards').textContent()).toMatch(/none for 1\d min/);
    await page
      .getByText(/Until [\d-]+ [\d:]+ UTC, in the slowest minute, 95 % .* nothing sent after that/)
      .waitFor();
  });

  test('follows what happens without a reload, and keeps the focus', async () => {
    const server = await createConsole({ sql: database.sql, pace: { everyMs: 100, restFactor: 0 } });
    const page = await browser.open(server, '/console/');
    const waiting = page.locator('.cards a').first();
    await waiting.focus();
    await database.sql`
      INSERT INTO ingestion_outbox (isrc, title, artist, album) SELECT 'FR' || lpad(n::text, 10, '0'), 'T', 'A', 'B'
      FROM generate_series(1, 1000) AS n`;
    await eventually(async () => expect(await waiting.textContent()).toBe('1,200'));
    expect(await page.evaluate('document.activeElement.textContent')).toBe('1,200');
    await database.sql`DELETE FROM ingestion_outbox WHERE isrc LIKE 'FR%'`;
  });

  test('works without scripts', async () => {
    const server = await createConsole({ sql: database.sql });
    const page = await browser.open(server, '/console/', { javaScriptEnabled: false });
    expect(await page.getByText('1 dead request').first().isVisible()).toBe(true);
    expect(await page.getByText(/In the last hour: [\d,]+ requested/).isVisible()).toBe(true);
  });

  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('axe finds nothing, and nothing sticks out: %s, %i wide', async (colorScheme, width) => {
    const server = await createConsole({ sql: database.sql, health: () => [away] });
    const page = await browser.open(server, '/console/', { colorScheme, viewport: { width, height: 800 } });
    await page.locator('.uplot').nth(1).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
  });
});
