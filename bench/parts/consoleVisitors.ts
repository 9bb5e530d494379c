import { setTimeout as wait } from 'node:timers/promises';
import { hint } from '@segue/outbox/hint.ts';
import { pauseSending } from '@segue/outbox/operate/sending.ts';
import { chromiumPath, openBrowser } from '@segue/testing/chromium.ts';
import { type Bench, type Part, type PartResult, scaled } from '../bench.ts';
import { startVisitors, type Visit } from '../console/visitors.ts';
import { addPending } from '../history.ts';
import { type RelayProcess, startRelay } from '../relayProcess.ts';
import { measured, percentile, ratio } from '../statistics.ts';
import { number, withSpread } from '../table.ts';

/** What people who look at the console cost the relay, and how soon they see something. */
export const consoleVisitors: Part = { name: 'consoleVisitors', title: 'Visitors of the console', run };

const visitors = 60;
/** Of each window. With and without visitors take turns, so that what slows the machine down slows both down. */
const seconds = 4;
/** The relay's throughput with visitors, at least. */
const least = 0.95;
const mostReadyMs = 500;
const mostPaintMs = 200;
/** Of each page. */
const paints = 7;
const paintedPages = ['/console/', '/console/requests?status=pending', '/console/albums'];
/**
 * How long a new tab stands open before it is used. Chromium starts a process for it, and then loads pages of its own
 * interface for up to a second, on both cores: a trace showed that half of what was measured was theirs.
 */
const settleMs = 2_000;

type Window = { rowsPerSecond: number; ready: Ready };
type Ready = { times: number[]; states: Set<string> };

async function run(bench: Bench): Promise<PartResult> {
  const rows = scaled(bench, 1_200_000, 20_000);
  const pairs = scaled(bench, 6);
  await using database = await bench.server.createDatabase({ migrated: true });
  const { sql, url } = database;
  await addPending(sql, 0, rows);
  await bench.sink.reset();
  bench.progress(`${number(rows)} open requests are there`);

  const relay = await startRelay(url, bench.sink.url);
  const guests = await startVisitors(relay.url);
  const alone: Window[] = [];
  const visited: Window[] = [];
  const visits: Visit[] = [];
  let painted = new Map<string, number[]>();
  try {
    await hint(sql);
    await wait(seconds * 1_000);
    for (let pair = 1; pair <= pairs; pair++) {
      // Who begins takes turns as well: the rate falls as the ledger grows.
      if (pair % 2 === 1) alone.push(await look(relay, seconds));
      await guests.come(visitors);
      visited.push(await look(relay, seconds));
      visits.push(await guests.leave());
      if (pair % 2 === 0) alone.push(await look(relay, seconds));
      bench.progress(`${pair} of ${pairs}: ${relay.settledRows()} rows are settled`);
    }
    if (relay.settledRows() >= rows) throw new Error('nothing was open any more: more rows are needed');
    // What is painted is looked at while nothing else works, and some hundred thousand requests are there.
    await pauseSending(sql, { reason: 'first paints are measured' });
    await untilResting(relay);
    // Else autovacuum does it meanwhile, for a minute.
    await sql`VACUUM (ANALYZE)`;
    if (chromiumPath !== undefined) painted = await firstPaints(relay.url);
  } finally {
    await guests.stop();
    await relay.stop();
  }

  const rate = (windows: Window[]) => measured(windows.map(({ rowsPerSecond }) => rowsPerSecond));
  const share = ratio(rate(visited), rate(alone));
  const ready = (windows: Window[]) => windows.flatMap(({ ready: { times } }) => times);
  const states = new Set(visited.flatMap(window => [...window.ready.states]));
  const pageTimes = visits.flatMap(({ times }) => times);
  if (pageTimes.length === 0) throw new Error(`no page was answered within ${seconds} s`);
  const failed = visits.reduce((sum, visit) => sum + visit.failed, 0);
  const updates = visits.reduce((sum, visit) => sum + visit.updates, 0);
  const paintedMedians = [...painted].map(([path, times]) => ({ path, ...measured(times) }));
  const slowestPaint = Math.max(...paintedMedians.map(({ median }) => median));
  const slowestReady = Math.max(...ready(visited));
  return {
    tables: [
      {
        title: `${visitors} visitors while a relay works on ${number(rows)} open requests`,
        rows: [
          ['', 'rows/s', '/readyz p50, ms', 'the slowest'],
          ...[['without visitors', alone] as const, ['with visitors', visited] as const].map(
            ([name, windows]) => [
              name,
              withSpread(rate(windows), 0),
              number(percentile(ready(windows), 50), 1),
              number(Math.max(...ready(windows)), 1),
            ],
          ),
          ['with ÷ without', withSpread(share, 3), '', ''],
        ],
      },
      {
        title: 'What they saw',
        rows: [
          ['pages', 'p50, ms', 'p99, ms', 'live updates'],
          [
            number(pageTimes.length),
            number(percentile(pageTimes, 50), 1),
            number(percentile(pageTimes, 99), 1),
            number(updates),
          ],
        ],
      },
      {
        title: 'First paint of a page that Chromium has never seen, in a tab that is open, ms',
        rows: [['page', ''], ...paintedMedians.map(paint => [paint.path, withSpread(paint, 0)])],
      },
    ],
    goals: [
      {
        goal: `${visitors} visitors leave at least ${least} of the relay's throughput`,
        measured: withSpread(share, 3),
        met: share.median >= least,
      },
      {
        goal: `/readyz stays 200, within ${mostReadyMs} ms, and no page fails`,
        measured: `${[...states].join(', ')}; ${number(slowestReady, 1)} ms; ${failed} failed`,
        met: [...states].every(state => state === '200') && slowestReady < mostReadyMs && failed === 0,
      },
      {
        goal: `each page is first painted within ${mostPaintMs} ms`,
        measured: painted.size === 0 ? 'no Chromium' : `${number(slowestPaint, 0)} ms for the slowest`,
        met: painted.size > 0 && slowestPaint < mostPaintMs,
      },
    ],
    figures: {
      rows,
      visitors,
      seconds,
      rowsPerSecond: { alone: rate(alone), visited: rate(visited) },
      share,
      readyMs: {
        alone: measured(ready(alone)).median,
        visited: measured(ready(visited)).median,
        slowestReady,
      },
      pages: {
        count: pageTimes.length,
        p50: percentile(pageTimes, 50),
        p99: percentile(pageTimes, 99),
        failed,
        updates,
      },
      firstPaintMs: Object.fromEntries(painted),
    },
  };
}

/** How fast the relay settles rows, and how `/readyz` answers meanwhile. */
async function look(relay: RelayProcess, seconds: number): Promise<Window> {
  const ready: Ready = { times: [], states: new Set() };
  const before = relay.settledRows();
  const start = performance.now();
  while (performance.now() - start < seconds * 1_000) {
    const asked = performance.now();
    const answer = await fetch(`${relay.url}/readyz`);
    await answer.arrayBuffer();
    ready.times.push(performance.now() - asked);
    ready.states.add(String(answer.status));
    await wait(100);
  }
  const took = (performance.now() - start) / 1_000;
  return { rowsPerSecond: (relay.settledRows() - before) / took, ready };
}

/** Until the relay has settled nothing for a second. */
async function untilResting(relay: RelayProcess): Promise<void> {
  for (let before = -1; before !== relay.settledRows(); ) {
    before = relay.settledRows();
    await wait(1_000);
  }
}

/** When Chromium first shows something of each page, in ms from the click on; by its own timings. */
async function firstPaints(url: string): Promise<Map<string, number[]>> {
  const browser = await openBrowser();
  const all = new Map<string, number[]>(paintedPages.map(path => [path, []]));
  try {
    for (let time = 0; time <= paints; time++) {
      for (const [path, times] of all) {
        // A context has a cache of its own, and nothing is in it.
        const context = await browser.newContext();
        const page = await context.newPage();
        await wait(settleMs);
        await page.goto(url + path);
        const paint = (await page.evaluate(
          `new Promise(resolve => {
            const found = () => performance.getEntriesByName('first-paint')[0]?.startTime;
            const look = () => found() === undefined ? requestAnimationFrame(look) : resolve(found());
            look();
          })`,
        )) as number;
        // The first round starts the browser's own processes.
        if (time > 0) times.push(paint);
        await context.close();
      }
    }
  } finally {
    await browser.close();
  }
  return all;
}
