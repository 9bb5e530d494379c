import type { Sql } from '@segue/database/connection.ts';
import { openMigrated } from '@segue/database/openMigrated.ts';
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

/** Opens the pool, as `openMigrated.ts` says. */
export async function openDatabase(url: string): Promise<Database> {
  const sql = await openMigrated({
    url,
    applicationName: 'segue-api',
    max: connections,
    settings: { statement_timeout: String(statementTimeoutMs) },
  });
  return databaseOn(sql);
}

export function databaseOn(sql: Sql): Database {
  return { sql, drizzle: drizzle(sql) };
}
