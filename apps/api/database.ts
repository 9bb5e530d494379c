import type { ConnectionOptions, Sql } from '@segue/database/connection.ts';
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

/**
 * Opens the pool, as `openMigrated.ts` says. No statement of ours takes a tenth of a second. One that waits longer, for
 * a lock say, must not keep its connection: the server breaks it off after 4 s.
 */
export async function openDatabase(
  database: Pick<ConnectionOptions, 'url' | 'schema' | 'onLost'>,
): Promise<Database> {
  return databaseOn(await openMigrated({ ...database, applicationName: 'segue-api', max: connections }));
}

export function databaseOn(sql: Sql): Database {
  return { sql, drizzle: drizzle(sql) };
}
