import { chromiumPath } from '@segue/testing/chromium.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { beforeAll, describe, expect, test } from 'vitest';
import { axeFindings, useBrowser } from '../test/browser.ts';
import { createConsole, guardedAccess } from '../test/console.ts';
import { fillScene } from '../test/scene.ts';

/** Breaks out of texts, attributes, scripts and addresses where any of them is not escaped. */
const hostile = `"'><img src=x onerror="window.broken=1"><script>window.broken=1</script>&lt;b&gt; \u202e\u0007 ${'w'.repeat(300)}`;

const addresses = [
  '/console/',
  '/console/requests',
  '/console/requests?status=dead',
  '/console/recordings/QMSEG0000666',
  '/console/albums',
  '/console/albums/1',
  '/console/act?scope=all&action=requeue&status=dead',
  '/console/act?scope=all&action=reschedule&status=pending',
  '/console/actions',
  '/console/actions/3',
  '/console/sending',
];

describe.skipIf(chromiumPath === undefined)('pages in a browser', () => {
  const database = useDatabase();
  const browser = useBrowser();
  beforeAll(async () => {
    await fillScene(database.sql);
    await database.sql`
      INSERT INTO ingestion_outbox (isrc, title, artist, album, status, reason, last_error, attempts, settled_at)
      VALUES ('USHSTL000001', ${hostile}, ${hostile}, ${hostile}, 'dead', ${hostile}, ${hostile}, 10, now())`;
    await database.sql`
      INSERT INTO ingestion_actions (actor, action, reason, rows, selection, source, outbox_ids)
      SELECT ${hostile}, ${hostile}, ${hostile}, 1, ${JSON.stringify({ error: hostile })}::text::jsonb, ${hostile}, ARRAY[id]
      FROM ingestion_outbox WHERE isrc = 'USHSTL000001'`;
    await database.sql`INSERT INTO album_ingestion_batches (artist, album, total_tracks) VALUES (${hostile}, ${hostile}, 1)`;
    const [album] = await database.sql`
      INSERT INTO library_albums (user_id, tidal_album_id, title, artist_name, track_count, track_listing)
      VALUES ('ada', '78', ${hostile}, ${hostile}, 6, '[]') RETURNING id`;
    await database.sql`
      INSERT INTO catalog_pending (item_id, kind, tidal_id, tracks_owed, attempts, last_error)
      VALUES (${album?.id}, 'album', '78', 4, 1, ${hostile})`;
    await database.sql`
      INSERT INTO relays (id, host, version) VALUES (gen_random_uuid(), ${hostile}, ${hostile})`;
    await database.sql`UPDATE relay_control SET paused_at = now(), paused_by = ${hostile}, paused_reason = ${hostile}`;
  });

  const hostileHealth = () => [
    { name: 'Inngest', state: 'unavailable' as const, summary: hostile, since: new Date() },
  ];

  test.each([...addresses, '/console/recordings/USHSTL000001', '/console/actions/4', '/console/albums/2'])(
    '%s shows hostile values as texts, in both widths and themes, and axe finds nothing',
    async address => {
      const server = await createConsole({ sql: database.sql, health: hostileHealth });
      const page = await browser.open(server, address, { colorScheme: 'light' });
      expect(await page.evaluate('window.broken')).toBeUndefined();
      expect(await page.locator('img, main script:not([src])').count()).toBe(0);
      expect(await axeFindings(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.setViewportSize({ width: 390, height: 844 });
      expect(await axeFindings(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    },
  );

  test('hostile filters are texts in the form and in the heading', async () => {
    const server = await createConsole({ sql: database.sql });
    const parameters = new URLSearchParams({
      q: hostile,
      error: hostile,
      album: hostile,
      status: hostile,
      after: hostile,
    });
    const page = await browser.open(server, `/console/requests?${parameters}`);
    expect(await page.evaluate('window.broken')).toBeUndefined();
    expect(await page.locator('#q').inputValue()).toContain('<img src=x');
  });

  test('somebody signs in, finds the poison row, requeues it, and reads that they did', async () => {
    const server = await createConsole({ sql: database.sql, access: guardedAccess });
    const page = await browser.open(server, '/console/requests?status=dead&q=poison');
    await page.getByLabel('Your name').fill('Ada');
    await page.getByLabel('Token').fill(guardedAccess.token as string);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('checkbox', { name: /Untitled \(Poison\)/ }).check();
    await page.getByRole('button', { name: 'Requeue…' }).click();
    await page.getByLabel(/^Why/).fill('the address is mended');
    await page.getByRole('button', { name: 'Requeue 1 request' }).click();
    await page.getByText('1 request changed.').waitFor();
    await page.getByRole('link', { name: 'QMSEG0000666' }).click();
    await page.getByRole('heading', { name: 'Untitled (Poison)' }).waitFor();
    expect(await page.locator('.timeline').textContent()).toContain('Ada: requeue, “the address is mended”');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  test('one box ticks all of a page, and the keyboard gets to the content first', async () => {
    const server = await createConsole({ sql: database.sql });
    const page = await browser.open(server, '/console/requests?status=pending');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
    await page.getByRole('checkbox', { name: 'All on this page' }).check();
    expect(await page.locator('input[name=id]:checked').count()).toBe(25);
  });

  test('pages lead on by key, to the last one', async () => {
    const server = await createConsole({ sql: database.sql });
    const page = await browser.open(server, '/console/requests?status=pending&order=oldest');
    const seen = new Set<string>();
    for (let pages = 1; ; pages++) {
      for (const box of await page.locator('input[name=id]').all())
        seen.add((await box.getAttribute('value')) ?? '');
      const next = page.getByRole('link', { name: 'Next page' });
      if ((await next.count()) === 0) break;
      expect(pages).toBeLessThan(10);
      await next.click();
    }
    const [open] = await database.sql<[{ count: number }]>`
      SELECT count(*)::int AS count FROM ingestion_outbox WHERE settled_at IS NULL`;
    expect(seen.size).toBe(open.count);
  });

  test('all that match is done in steps while the page shows how far it is', async () => {
    await database.sql`
      INSERT INTO ingestion_outbox (isrc, title, artist, album, status, reason, settled_at)
      SELECT 'DE' || lpad(n::text, 10, '0'), 'Doomed', 'A', 'B', 'dead', 'doomed', now() FROM generate_series(1, 1200) AS n`;
    const server = await createConsole({ sql: database.sql });
    const page = await browser.open(server, '/console/requests?status=dead&error=doomed');
    await page.getByRole('radio', { name: 'all that match' }).check();
    await page.getByRole('button', { name: 'Discard…' }).click();
    await page.getByLabel(/^Why/).fill('it was a test');
    // Without its script the page does one step at a time, and asks again.
    await page.waitForLoadState('load');
    await page.getByRole('button', { name: 'Discard 1,200 requests' }).click();
    await page.getByText('1,200 requests changed.').waitFor();
  });

  test('sending is resumed by a form', async () => {
    const server = await createConsole({ sql: database.sql });
    const page = await browser.open(server, '/console/');
    await page.getByText('Sending is paused').waitFor();
    await page.getByRole('link', { name: 'Resume…' }).click();
    await page.getByLabel(/^Why/).fill('it is over');
    await page.getByRole('button', { name: 'Resume sending' }).click();
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    expect(await page.getByText('Sending is paused').count()).toBe(0);
  });
});
