import { type ConnectionOptions, checked, type Sql } from './connection.ts';
import { connectThroughPooler } from './pooler.ts';

/**
 * Opens the pool of a process that works on our tables, directly or through a pooler, once the database is there.
 *
 * @throws Error when it is not there within 5 s, refuses us, or was never migrated; no connection is left behind
 */
export async function openMigrated(options: ConnectionOptions): Promise<Sql> {
  return await checked(await connectThroughPooler(options), assertMigrated);
}

async function assertMigrated(sql: Sql): Promise<void> {
  const [answer] = await sql<[{ migrated: boolean }]>`
    SELECT to_regclass('ingestion_outbox') IS NOT NULL AS migrated`;
  if (!answer.migrated) {
    throw new Error('the database of DATABASE_URL has no tables yet: run `npm run migrate` first');
  }
}
