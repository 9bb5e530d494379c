import { setTimeout as wait } from 'node:timers/promises';
import { connect, type Sql } from '@segue/database/connection.ts';
import { isOutage } from '@segue/database/outage.ts';
import { refusesSettings } from '@segue/database/pooler.ts';
import { noAnswer, notReached } from '@segue/database/reach.ts';
import { within } from '@segue/process/timeLimit.ts';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';

/**
 * One pool, asked in two ways.
 *
 * Drizzle sets the pool up to leave timestamps and JSON as text, since it reads and writes them by the column.
 * Raw statements on the same pool therefore get timestamps as text too, and give JSON as text.
 */
export type Database = {
  /** For the few statements that every addition waits for: prepared once a connection, and pipelined. */
  sql: Sql;
  /** For all others. */
  drizzle: PostgresJsDatabase;
};

/**
 * An addition holds a connection for one round trip. Ten keep a PostgreSQL on two cores busy, and leave most
 * of its default 100 connections to others.
 */
const connections = 10;
/** No statement of ours takes a tenth of a second. One that waits longer, for a lock say, must not keep its connection. */
const statementTimeoutMs = 10_000;
const reachableWithinMs = 5_000;
const betweenAttemptsMs = 250;

/**
 * @param pooled for a pooler in front of the server, which knows neither settings of a session nor prepared
 *   statements
 */
export function openDatabase(url: string, { pooled = false } = {}): Database {
  const sql = connect({
    url,
    applicationName: 'segue-api',
    max: connections,
    ...(pooled ? { prepare: false } : { settings: { statement_timeout: String(statementTimeoutMs) } }),
  });
  return { sql, drizzle: drizzle(sql) };
}

/**
 * Opens the pool once the database is there, directly or through a pooler.
 *
 * @throws Error as {@link awaitDatabase}
 */
export async function openReachableDatabase(url: string): Promise<Database> {
  const direct = openDatabase(url);
  try {
    await awaitDatabase(direct);
    return direct;
  } catch (error) {
    await direct.sql.end({ timeout: 1 });
    if (!refusesSettings(error)) throw error;
    const pooled = openDatabase(url, { pooled: true });
    await awaitDatabase(pooled);
    return pooled;
  }
}

/**
 * Waits for the database, as something that is started at the same time may take a moment.
 *
 * @throws Error when it is not there within 5 s, refuses us, or was never migrated
 */
export async function awaitDatabase({ sql }: Database): Promise<void> {
  const deadline = performance.now() + reachableWithinMs;
  for (;;) {
    try {
      await answers(sql, deadline - performance.now());
      break;
    } catch (error) {
      if (!isOutage(error) || performance.now() + betweenAttemptsMs > deadline) throw notReached(sql, error);
      await wait(betweenAttemptsMs);
    }
  }
  const [answer] = await sql<[{ migrated: boolean }]>`
    SELECT to_regclass('library_tracks') IS NOT NULL AS migrated`;
  if (!answer.migrated) {
    throw new Error('the database of DATABASE_URL has no tables yet: run `npm run migrate` first');
  }
}

/** @throws Error when the database does not answer within that time */
export async function pingDatabase({ sql }: Database, withinMs: number): Promise<void> {
  await answers(sql, withinMs);
}

/** postgres.js bounds the time to connect, not the time to answer. */
async function answers(sql: Sql, withinMs: number): Promise<void> {
  await within(withinMs, sql`SELECT 1`, () => noAnswer(withinMs));
}
