import type { Sql } from './connection.ts';

/** @throws when the database has no tables yet */
export async function assertMigrated(sql: Sql): Promise<void> {
  const [answer] = await sql<[{ migrated: boolean }]>`
    SELECT to_regclass('ingestion_outbox') IS NOT NULL AS migrated`;
  if (!answer.migrated) {
    throw new Error('the database of DATABASE_URL has no tables yet: run `npm run migrate` first');
  }
}
