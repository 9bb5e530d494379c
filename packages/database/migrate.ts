import { fileURLToPath } from 'node:url';
import { pause } from '@segue/process/pause.ts';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import { connect, type Sql } from './connection.ts';
import { migrationsTable } from './migrationState.ts';
import { adoptEarlierTable } from './migrationsTable.ts';
import { reach } from './reach.ts';

const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** Any number that no other program on the same database locks: 'segue' in ASCII. */
export const lockKey = 0x7365677565;

/** How often the lock is tried, and how often it is told that it is waited for. */
const tryEveryMs = 200;
const usualTellEveryMs = 5_000;

/** No migration is known to take so long. It bounds the wait for a connection that went silent. */
const deadlineMs = 3_600_000;

export type MigrateOptions = {
  /** Where the tables go (`DATABASE_SCHEMA`); made if it is not there. Default `public`. */
  schema?: string;
  /** How long another migration, or a lock on a table, is waited for (`MIGRATE_LOCK_TIMEOUT_MS`). Default 60,000. */
  lockTimeoutMs?: number;
  /** Is told what a migration could not do and went on without, such as making roles. */
  onWarning?: (message: string) => void;
  /** Is told every 5 s that another migration is waited for. */
  onWaiting?: (message: string) => void;
  tellEveryMs?: number;
};

/**
 * Brings the database up to date. Safe to run twice, and at the same time from several processes: one
 * migrates while the others wait on an advisory lock of the session, and then find nothing to do.
 *
 * @throws Error as `reach.ts` says it, for a database that cannot be reached; for a database that is not UTF-8, and a
 * lock that is not to be had in time; what PostgreSQL says, for a migration that fails
 */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<void> {
  const { schema = 'public', lockTimeoutMs = 60_000, onWarning } = options;
  const sql = connect({
    url,
    applicationName: 'segue-migrate',
    max: 1,
    deadlineMs,
    ...(onWarning && { onWarning }),
  });
  try {
    await reach(sql);
    await assertUtf8(sql);
    // What migrations name without a schema is in this one.
    await sql`SELECT set_config('search_path', quote_ident(${schema}), false)`;
    await sql`SELECT set_config('lock_timeout', ${`${lockTimeoutMs}ms`}, false)`;
    await lock(sql, lockTimeoutMs, options);
    await adoptEarlierTable(sql, schema, migrationsFolder);
    await applyMigrations(drizzle(sql), { migrationsFolder, migrationsSchema: schema, migrationsTable });
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function assertUtf8(sql: Sql): Promise<void> {
  const [row] = await sql`SELECT current_setting('server_encoding') AS encoding, current_database() AS name`;
  if (row?.encoding === 'UTF8') return;
  throw new Error(
    `the database ${row?.name} is in ${row?.encoding}, and titles need UTF-8: ` +
      `make another with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`,
  );
}

async function lock(sql: Sql, timeoutMs: number, options: MigrateOptions): Promise<void> {
  const { onWaiting, tellEveryMs = usualTellEveryMs } = options;
  const start = performance.now();
  let toldAt = start;
  for (;;) {
    const [row] = await sql`SELECT pg_try_advisory_lock(${lockKey}) AS locked`;
    if (row?.locked) return;
    const now = performance.now();
    const waited = `${Math.round((now - start) / 1_000)} s`;
    if (now - start >= timeoutMs) {
      throw new Error(
        `another migration, by ${await holderOf(sql)}, was not done within ${waited} (MIGRATE_LOCK_TIMEOUT_MS)`,
      );
    }
    if (now - toldAt >= tellEveryMs) {
      toldAt = now;
      onWaiting?.(`waiting for another migration, by ${await holderOf(sql)}, for ${waited} so far`);
    }
    await pause(Math.min(tryEveryMs, timeoutMs), new AbortController().signal);
  }
}

/** Who holds the lock, in words. */
async function holderOf(sql: Sql): Promise<string> {
  const [row] = await sql`
    SELECT pid, usename, coalesce(host(client_addr), 'a Unix socket') AS host
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) + objid::bigint = ${lockKey}`;
  return row ? `${row.usename} from ${row.host} (pid ${row.pid})` : 'somebody';
}
