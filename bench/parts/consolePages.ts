import { connect, type Sql } from '@segue/database/connection.ts';
import { createHttpServer } from '@segue/http/server.ts';
import { accessSettings } from '@segue/relay/console/access/variables.ts';
import { serveConsole } from '@segue/relay/console/console.ts';
import { consoleSettings } from '@segue/relay/console/consoleSettings.ts';
import { createLogger } from '@segue/telemetry/logger.ts';
import { type Bench, type Part, type PartResult, scaled } from '../bench.ts';
import {
  addManyRequests,
  albumOf,
  artistOf,
  batchOf,
  isrcOfSettled,
  titleOf,
} from '../console/manyRequests.ts';
import { type Database, startDatabaseServer } from '../database.ts';
import { cpuMilliseconds } from '../processUsage.ts';
import { number } from '../table.ts';

/** What PostgreSQL does for each page of the console, on a long history. */
export const consolePages: Part = { name: 'consolePages', title: 'Pages of the console', run };

const mostMs = 100;
/** Of each page the fastest counts: what else the machine does is no matter of the page. */
const tries = 3;
/** What takes less is not tried again. */
const sureMs = 40;

const applicationName = 'segue-console';
const logger = createLogger('relay', 'warn');
const access = accessSettings({ RELAY_HOST: '127.0.0.1' });

type Page = { name: string; path: string };
type Timed = Page & {
  /** Of its statements, planned and carried out. */
  ms: number;
  /** Of the sessions' CPU; null where it cannot be known. */
  cpuMs: number | null;
  rows: number;
  next: string | null;
};

async function run(bench: Bench): Promise<PartResult> {
  const settled = scaled(bench, 10_000_000, 20_000);
  const open = scaled(bench, 100_000, 1_000);
  // Only here is every statement timed: elsewhere that would cost each candidate something.
  const server = await startDatabaseServer({
    shared_preload_libraries: 'pg_stat_statements',
    'pg_stat_statements.track_planning': 'on',
  });
  try {
    await using database = await server.createDatabase({ migrated: true });
    await addManyRequests(database.sql, { settled, open });
    bench.progress(`${number(settled)} settled requests and ${number(open)} open ones are there`);
    return await measurePages(bench, database, { settled, open });
  } finally {
    await server.stop();
  }
}

/** @param database filled by `addManyRequests` */
async function measurePages(
  bench: Pick<Bench, 'progress'>,
  { url, sql: admin }: Pick<Database, 'url' | 'sql'>,
  { settled, open }: { settled: number; open: number },
): Promise<PartResult> {
  await admin`CREATE EXTENSION IF NOT EXISTS pg_stat_statements`;
  // As the relay connects it.
  const sql = connect({ url, applicationName, max: 2, settings: consoleSettings });
  const timed: Timed[] = [];
  try {
    // What all pages show is read once for all of them, and measured with the overview.
    await using usual = await startConsole(sql);
    await usual.server.inject('/console/sending');
    const places = await cursors(admin, [Math.floor(settled / 2), settled + Math.floor(open / 2)]);
    const time = async (page: Page) => {
      if (!page.path.startsWith('/console/?')) return await timePage(usual, admin, page);
      await using fresh = await startConsole(sql);
      return await timePage(fresh, admin, page);
    };
    for (const page of pagesOf(settled, places)) {
      const first = await time(page);
      timed.push(first);
      if (first.next !== null) {
        timed.push(await time({ name: `${page.name}, the next page`, path: first.next }));
      }
      if (timed.length % 200 < 2) bench.progress(`${timed.length} pages`);
    }
  } finally {
    await sql.end({ timeout: 1 });
  }
  timed.sort((one, other) => other.ms - one.ms);
  const [worst] = timed;
  return {
    tables: [
      {
        title: `${number(settled)} settled requests, ${number(open)} open: the slowest of ${timed.length} pages`,
        rows: [
          ['page', 'ms of statements', 'of CPU', 'rows'],
          ...timed
            .slice(0, 25)
            .map(({ name, ms, cpuMs, rows }) => [
              name,
              number(ms, 1),
              cpuMs === null ? '–' : number(cpuMs, 1),
              number(rows),
            ]),
        ],
      },
    ],
    goals: [
      {
        goal: `each page takes less than ${mostMs} ms of statements`,
        measured: worst === undefined ? 'no page' : `${number(worst.ms, 1)} ms (${worst.name})`,
        met: worst !== undefined && worst.ms < mostMs,
      },
    ],
    figures: { settled, open, pages: timed.length, slowest: timed.slice(0, 25) },
  };
}

type Console = AsyncDisposable & { server: ReturnType<typeof createHttpServer> };

/** A console that reads what all pages show once. */
async function startConsole(sql: Sql): Promise<Console> {
  const server = createHttpServer({ hostRule: null, logger, finishWithinMs: 1_000 });
  await serveConsole(server, { sql, access, health: () => [], logger, pace: { everyMs: 3_600_000 } });
  return { server, [Symbol.asyncDispose]: () => server.close() };
}

/** Asks for a page and adds up what its statements took, planned and carried out. */
async function timePage({ server }: Console, admin: Sql, page: Page): Promise<Timed> {
  let ms = Number.POSITIVE_INFINITY;
  let cpuMs: number | null = null;
  let body = '';
  for (let each = 0; each < tries && ms > sureMs; each++) {
    await admin`SELECT pg_stat_statements_reset()`;
    const before = await cpuOfSessions(admin);
    const answer = await server.inject(page.path);
    if (answer.statusCode !== 200) throw new Error(`${page.path} was answered ${answer.statusCode}`);
    body = answer.body;
    const [{ took }] = await admin<[{ took: number }]>`
      SELECT coalesce(sum(total_exec_time + total_plan_time), 0)::float8 AS took FROM pg_stat_statements
      WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND query NOT LIKE '%pg_stat_statements%'`;
    ms = Math.min(ms, took);
    const after = await cpuOfSessions(admin);
    if (before !== null && after !== null)
      cpuMs = Math.min(cpuMs ?? Number.POSITIVE_INFINITY, after - before);
  }
  const next = /rel="next" href="([^"]+)"/.exec(body)?.[1]?.replaceAll('&amp;', '&') ?? null;
  return { ...page, ms, cpuMs, rows: body.match(/<tr>/g)?.length ?? 0, next };
}

/** CPU time of the sessions of the console so far, in ms. */
async function cpuOfSessions(admin: Sql): Promise<number | null> {
  const sessions = await admin<{ pid: number }[]>`
    SELECT pid FROM pg_stat_activity WHERE application_name = ${applicationName}`;
  const each = await Promise.all(sessions.map(({ pid }) => cpuMilliseconds(pid)));
  return each.reduce((sum, ms) => (sum === null || ms === null ? null : sum + ms), 0);
}

/** Cursors that stand at the requests with these ids, as the list writes them. */
async function cursors(sql: Sql, ids: number[]): Promise<string[]> {
  const rows = await sql<{ cursor: string }[]>`
    SELECT created_at::text || '|' || id AS cursor FROM ingestion_outbox WHERE id = ANY(${ids}::bigint[]) ORDER BY id`;
  return rows.map(({ cursor }) => Buffer.from(cursor).toString('base64url'));
}

/** Each page, and the list of requests with each filter, age and order. */
function pagesOf(settled: number, places: string[]): Page[] {
  const middle = Math.floor(settled / 2);
  const batch = batchOf(middle) ?? batchOf(middle + 12) ?? 1;
  const paths = [
    '/?range=hour',
    '/?range=week',
    '/albums',
    `/albums?before=${batch}`,
    `/albums/${batch}`,
    '/actions',
    `/recordings/${isrcOfSettled(middle)}`,
    '/recordings/GB0000000077',
    '/act?action=requeue&scope=all&status=dead',
    '/act?action=discard&scope=all&status=dead&error=nowhere',
    '/act?action=reschedule&scope=all&status=pending',
    '/act?action=reschedule&scope=all&status=pending&q=nowhere',
    `/act?action=requeue&id=${settled}`,
  ];
  const filters: Record<string, string>[] = [
    {},
    { reason: 'duplicate' },
    { reason: 'discarded' },
    { error: 'no url' },
    { error: 'too long' },
    { error: 'nowhere' },
    { attempts: '1' },
    { attempts: '1000' },
    { batch: String(batch) },
    { album: albumOf(middle) },
    { album: 'Nowhere' },
    { q: isrcOfSettled(middle) },
    { q: 'GB0000000077' },
    { q: 'US0000000000' },
    { q: titleOf(middle) },
    { q: artistOf(middle) },
    { q: 'long road' },
    { q: 'nowhere at all' },
    { q: 'nowhere at all', album: 'Nowhere', error: 'nowhere', attempts: '2' },
  ];
  const times: Record<string, string>[] = [
    {},
    { older: '1h' },
    { older: '7d' },
    { newer: '1h' },
    { newer: '7d' },
    { older: '1d', newer: '7d' },
    ...places.map(after => ({ after })),
  ];
  const lists = ['', 'pending', 'scheduled', 'skipped', 'dead'].flatMap(status =>
    ['newest', 'oldest'].flatMap(order =>
      times.flatMap(time =>
        filters.map(filter => ({ ...(status && { status }), order, ...time, ...filter })),
      ),
    ),
  );
  return [
    ...paths.map(path => ({ name: path, path: `/console${path}` })),
    ...lists.map(parameters => {
      const { after, ...shown } = parameters as Record<string, string>;
      const words = Object.entries(shown).map(([name, value]) => `${name}=${value}`);
      const place =
        after === undefined ? [] : [`from the middle of the ${after === places[0] ? 'settled' : 'open'}`];
      return {
        name: [...words, ...place].join(' '),
        path: `/console/requests?${new URLSearchParams(parameters as Record<string, string>)}`,
      };
    }),
  ];
}
