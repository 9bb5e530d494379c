import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import { connect } from './connection.ts';
import { reach } from './reach.ts';

const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** Any number that no other program on the same database locks: 'segue' in ASCII. */
const lockKey = 0x7365677565;

/**
 * Brings the database up to date. Safe to run twice, and at the same time from several processes: one
 * migrates while the others wait on an advisory lock of the session, and then find nothing to do.
 *
 * @param onWarning is told what a migration could not do and went on without, such as making roles
 * @throws Error as `reach.ts` says it, for a database that cannot be reached; what PostgreSQL says, for a migration
 * that fails
 */
export async function migrate(url: string, onWarning?: (message: string) => void): Promise<void> {
  const sql = connect({ url, applicationName: 'segue-migrate', max: 1, ...(onWarning && { onWarning }) });
  try {
    await reach(sql);
    await sql`SELECT pg_advisory_lock(${lockKey})`;
    await applyMigrations(drizzle(sql), {
      migrationsFolder,
      migrationsSchema: 'public',
      migrationsTable: 'schema_migrations',
    });
  } finally {
    await sql.end({ timeout: 5 });
  }
}
