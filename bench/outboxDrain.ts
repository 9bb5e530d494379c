import type { Sql } from '@segue/database/connection.ts';
import { hint } from '@segue/outbox/hint.ts';
import type { Bench } from './bench.ts';
import { cpuSeconds } from './processUsage.ts';
import { expectedEvents, type Recording, recordings } from './recordings.ts';
import { type RelayProcess, type RelaySettings, startRelay } from './relayProcess.ts';

/** CPU seconds; null where they cannot be known. */
export type Cpu = { worker: number | null; database: number | null; sink: number | null };

/** How long it took until the last row was settled, and what it cost. */
export type Drain = { rows: number; seconds: number; rowsPerSecond: number; cpu: Cpu };

export type OutboxDrainOptions = {
  rows: number;
  /** Relays on the same database. */
  relays?: number;
  settings?: RelaySettings;
};

/**
 * Drained by each process before the clock starts, so that connections, prepared statements and compiled code are
 * there. With 2,000 rows for all relays together, four of them began with 500 each, and were measured cold.
 */
export const warmUpRows = 8_000;
const chunk = 10_000;
const withinMs = 300_000;

/**
 * Drains an outbox that is filled in one commit, by relays that run already. The clock starts when that commit
 * is answered, before the first claim, and stops when the last row is said to be settled.
 *
 * @throws Error when not every row is settled, or an event is missing or was sent twice
 */
export async function drainOutbox(bench: Bench, options: OutboxDrainOptions): Promise<Drain> {
  const { server, sink } = bench;
  const { rows, relays: count = 1, settings = {} } = options;
  await using database = await server.createDatabase({ migrated: true });
  const { sql, url } = database;
  const relays: RelayProcess[] = [];
  try {
    for (let relay = 0; relay < count; relay++) relays.push(await startRelay(url, sink.url, settings));
    const warmUp = warmUpRows * count;
    await fill(sql, recordings(1, warmUp));
    await hint(sql);
    await untilSettled(relays, warmUp);

    const requested = recordings(1 + warmUp, rows);
    await server.checkpoint();
    await sink.reset();
    let before: Cpu | undefined;
    await fill(sql, requested, async () => {
      before = await cpuOf(bench, relays);
    });
    const start = performance.now();
    await hint(sql);
    const seconds = ((await untilSettled(relays, warmUp + rows)) - start) / 1_000;
    const after = await cpuOf(bench, relays);

    await check(bench, sql, requested, warmUp);
    return { rows, seconds, rowsPerSecond: rows / seconds, cpu: cpuBetween(before as Cpu, after) };
  } finally {
    await Promise.all(relays.map(relay => relay.stop()));
  }
}

/** Writes a row for each recording in one transaction, and does something right before its commit. */
export async function fill(
  sql: Sql,
  requested: Recording[],
  beforeCommit?: () => Promise<void>,
): Promise<void> {
  await sql.begin(async transaction => {
    for (let start = 0; start < requested.length; start += chunk) {
      const part = requested.slice(start, start + chunk);
      await transaction`
        INSERT INTO ingestion_outbox (isrc, title, artist, album, artwork_url)
        SELECT * FROM unnest(
          ${part.map(({ isrc }) => isrc)}::text[],
          ${part.map(({ title }) => title)}::text[],
          ${part.map(({ artist }) => artist)}::text[],
          ${part.map(({ album }) => album)}::text[],
          ${part.map(({ artworkUrl }) => artworkUrl)}::text[])`;
    }
    await beforeCommit?.();
  });
}

/**
 * @returns the moment, on `performance.now()`, at which the relays together had settled so many rows
 * @throws Error when that takes more than five minutes
 */
export async function untilSettled(relays: RelayProcess[], rows: number): Promise<number> {
  const settledRows = () => relays.reduce((sum, relay) => sum + relay.settledRows(), 0);
  const done = Promise.withResolvers<number>();
  const look = () => {
    if (settledRows() >= rows) done.resolve(performance.now());
  };
  for (const relay of relays) relay.onSettled = look;
  const late = setTimeout(
    () => done.reject(new Error(`only ${settledRows()} of ${rows} rows were settled in time`)),
    withinMs,
  );
  try {
    look();
    return await done.promise;
  } finally {
    clearTimeout(late);
  }
}

async function cpuOf({ server, sink }: Bench, relays: RelayProcess[]): Promise<Cpu> {
  const each = await Promise.all(relays.map(({ pid }) => cpuSeconds(pid, { descendants: false })));
  return {
    worker: each.reduce((sum, seconds) => (sum === null || seconds === null ? null : sum + seconds), 0),
    database: await server.cpuSeconds(),
    sink: await cpuSeconds(sink.pid, { descendants: false }),
  };
}

export function cpuBetween(before: Cpu, after: Cpu): Cpu {
  const between = (key: keyof Cpu) => {
    const [from, to] = [before[key], after[key]];
    return from === null || to === null ? null : to - from;
  };
  return { worker: between('worker'), database: between('database'), sink: between('sink') };
}

/** A figure counts only when the work was done: all rows settled, each event sent once and none left out. */
async function check({ sink }: Bench, sql: Sql, requested: Recording[], warmUp: number): Promise<void> {
  const expected = expectedEvents(requested);
  const { events, repeats } = await sink.report();
  if (events !== expected.size || repeats > 0) {
    throw new Error(
      `${expected.size} events were due; ${events} arrived, and ${repeats} of them more than once`,
    );
  }
  const [{ scheduled, skipped, rows }] = await sql<[{ scheduled: number; skipped: number; rows: number }]>`
    SELECT count(*) FILTER (WHERE status = 'scheduled')::int AS scheduled,
      count(*) FILTER (WHERE status = 'skipped')::int AS skipped, count(*)::int AS rows
    FROM ingestion_outbox WHERE id > ${warmUp}`;
  if (scheduled !== expected.size || scheduled + skipped !== rows || rows !== requested.length) {
    throw new Error(`of ${rows} rows ${scheduled} are scheduled and ${skipped} are skipped`);
  }
}
