import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@segue/database/connection.ts';
import { migrate } from '@segue/database/migrate.ts';
import { createHttpServer } from '@segue/http/server.ts';
import { startLocalPostgres } from '@segue/local-postgres/localPostgres.ts';
import { accessSettings } from '@segue/relay/console/access/variables.ts';
import { serveConsole } from '@segue/relay/console/console.ts';
import { consoleSettings } from '@segue/relay/console/consoleSettings.ts';
import type { Dependency } from '@segue/relay/console/live/dependencies.ts';
import { fillScene } from '@segue/relay/console/test/scene.ts';
import { createLogger } from '@segue/telemetry/logger.ts';
import { openBrowser } from '@segue/testing/chromium.ts';

/**
 * Takes the pictures of the console that the README and the docs show, from a system with one poison row, an open
 * breaker, an album that waits for TIDAL and 100,000 waiting rows:
 *
 *     node bench/console/screenshots.ts           into docs/images/console
 *     node bench/console/screenshots.ts <folder>  every page, whole, in both widths and themes, to look at
 *
 * Needs Chromium.
 */
const isForDocs = process.argv[2] === undefined;
const folder = process.argv[2] ?? join(import.meta.dirname, '../../docs/images/console');

const pages = [
  { name: 'overview', path: '/console/' },
  { name: 'requests', path: '/console/requests?status=pending' },
  { name: 'recording', path: '/console/recordings/QMSEG0000666' },
  { name: 'albums', path: '/console/albums' },
  { name: 'act', path: '/console/act?action=requeue&scope=all&status=dead' },
  { name: 'actions', path: '/console/actions' },
];
/** What docs/console.md and the README show. */
const documented = [
  'overview-wide-light',
  'overview-wide-dark',
  'overview-narrow-dark',
  'recording-wide-light',
];
const sizes = [
  { name: 'wide', width: 1280, height: 800 },
  { name: 'narrow', width: 390, height: 844 },
];

const dataFolder = join(tmpdir(), `segue-screenshots-${process.pid}`);
const postgres = await startLocalPostgres({ dataFolder, settings: { fsync: 'off' }, persistent: false });
try {
  await takeAll(postgres.url);
} finally {
  await postgres.stop();
  rmSync(dataFolder, { recursive: true, force: true });
}

async function takeAll(url: string): Promise<void> {
  await migrate(url);
  const sql = connect({ url, applicationName: 'segue-console', max: 2, settings: consoleSettings });
  const { awaySince } = await fillScene(sql, { waiting: 100_000 });
  await sql`ANALYZE`;
  const health = (): Dependency[] => [
    {
      name: 'Inngest',
      state: 'unavailable',
      summary: 'takes no events: requests wait',
      since: awaySince,
    },
    { name: 'Qdrant', state: 'ok', summary: 'answers', since: null },
  ];
  const access = accessSettings({ RELAY_HOST: '127.0.0.1' });
  const logger = createLogger('relay', 'warn');
  const server = createHttpServer({ hostRule: null, logger, finishWithinMs: 1_000 });
  await serveConsole(server, { sql, access, health, logger });
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  const browser = await openBrowser();
  mkdirSync(folder, { recursive: true });
  try {
    for (const { name: size, ...viewport } of sizes) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await browser.newPage({ viewport, colorScheme, reducedMotion: 'reduce' });
        for (const { name, path } of pages) {
          if (isForDocs && !documented.includes(`${name}-${size}-${colorScheme}`)) continue;
          // As a relay says every few seconds that it is there, and that it cannot send.
          await sql`UPDATE relays SET last_heartbeat = now(), state = 'held_back'`;
          await page.goto(address + path);
          if (name === 'overview') await page.locator('.uplot').nth(1).waitFor();
          const picture = await page.screenshot({ fullPage: !isForDocs });
          writeFileSync(join(folder, `${name}-${size}-${colorScheme}.png`), picture);
        }
        await page.close();
      }
    }
  } finally {
    await browser.close();
    await server.close();
    await sql.end({ timeout: 1 });
  }
}
