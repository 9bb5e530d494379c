import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { spawnKept } from '@segue/child-process/childProcess.ts';
import { steadyPlans } from '@segue/outbox/plannerSettings.ts';
import type { Bench } from './bench.ts';
import { captureHotStatements, type HotStatements } from './hotStatements.ts';
import { type Cpu, cpuBetween, type Drain, fill, warmUpRows } from './outboxDrain.ts';
import { recordings } from './recordings.ts';

/** As the relay does by default. */
const batchSize = 1_000;
const clients = 4;
const leaseMs = 30_000;

/**
 * Drains the outbox with nothing but its three hot statements, sent by pgbench: no Node, no HTTP, no log. What
 * the relay cannot exceed on this machine. Rows that repeat a recording are settled like the others.
 *
 * @param atLeastRows rounded up to whole batches of all clients
 * @returns null when pgbench is not installed
 * @throws Error with what pgbench said when it fails
 */
export async function drainWithPgbench({ server }: Bench, atLeastRows: number): Promise<Drain | null> {
  const pgbench = await findPgbench();
  if (pgbench === null) return null;
  await using database = await server.createDatabase({ migrated: true });
  const { sql, url } = database;
  const statements = await captureHotStatements(url);
  const transactions = Math.ceil(atLeastRows / batchSize / clients);
  const rows = transactions * clients * batchSize;
  await server.checkpoint();
  await fill(sql, recordings(1 + warmUpRows, rows));

  const before = await cpu();
  const transactionsPerSecond = await runPgbench(pgbench, url, scriptOf(statements), transactions);
  const after = await cpu();
  const seconds = (transactions * clients) / transactionsPerSecond;

  const [{ open }] = await sql<[{ open: number }]>`
    SELECT count(*)::int AS open FROM ingestion_outbox WHERE status <> 'scheduled'`;
  if (open > 0) throw new Error(`pgbench left ${open} rows behind`);
  return { rows, seconds, rowsPerSecond: rows / seconds, cpu: cpuBetween(before, after) };

  async function cpu(): Promise<Cpu> {
    return { worker: null, database: await server.cpuSeconds(), sink: null };
  }
}

/**
 * pgbench keeps one row of an answer at most, so what the claim returns is gathered into arrays. Each claim
 * starts to look where the one before has ended, as the relay's do; all rows have one `created_at`.
 */
function scriptOf({ claim, take, settle }: HotStatements): string {
  return `
WITH claimed AS (${claim})
SELECT array_agg(id) AS ids, array_agg(isrc) AS isrcs, max("createdAt") AS from_created_at, max(id) AS from_id
FROM claimed \\gset
WITH taken AS (${take}) SELECT count(*) FROM taken;
${settle};
`;
}

async function runPgbench(
  pgbench: string,
  url: string,
  script: string,
  transactions: number,
): Promise<number> {
  const { password, ...address } = partsOf(url);
  const folder = await mkdtemp(join(tmpdir(), 'segue-bench-'));
  try {
    const file = join(folder, 'drain.sql');
    await writeFile(file, script);
    const variables = {
      limit: batchSize,
      lease: randomUUID(),
      lease_ms: leaseMs,
      from_created_at: '-infinity',
      from_id: 0,
      also: '{}',
      none: '{}',
    };
    const args = [
      ...['--no-vacuum', '--protocol=prepared', `--file=${file}`],
      ...[`--client=${clients}`, `--jobs=${clients}`, `--transactions=${transactions}`],
      ...Object.entries(variables).map(([name, value]) => `--define=${name}=${value}`),
      ...[`--host=${address.host}`, `--port=${address.port}`, `--username=${address.user}`, address.database],
    ];
    const said: string[] = [];
    const process = await spawnKept(pgbench, args, {
      env: { PGPASSWORD: password, PGOPTIONS: asOptions(steadyPlans), LC_ALL: 'C' },
      output: line => said.push(line),
    });
    const { code } = await process.exited;
    const rate = /^tps = ([\d.]+)/m.exec(said.join('\n'))?.[1];
    if (code !== 0 || rate === undefined) throw new Error(`pgbench failed:\n${said.join('\n')}`);
    return Number(rate);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function partsOf(url: string) {
  const { hostname, port, username, password, pathname } = new URL(url);
  return { host: hostname, port, user: username, password, database: pathname.slice(1) };
}

function asOptions(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
}

/** In PATH, or where Debian puts it. No package of npm has it. */
async function findPgbench(): Promise<string | null> {
  const debian = '/usr/lib/postgresql';
  const versions = await readdir(debian).catch(() => []);
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions.sort((a, b) => Number(b) - Number(a)).map(version => join(debian, version, 'bin')),
  ];
  for (const folder of folders) {
    const files: string[] = await readdir(folder).catch(() => []);
    if (files.includes('pgbench')) return join(folder, 'pgbench');
  }
  return null;
}
