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
  summary: 'does not answer',
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
      'Inngest has not answered',
      '200 requests wait',
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
