import { readFile } from 'node:fs/promises';
import type { Sql } from './connection.ts';

/** Which migrations were applied. A name of our own: `schema_migrations` is that of Rails, Ecto and others. */
export const migrationsTable = 'segue_migrations';

const journal = new URL('../../drizzle/meta/_journal.json', import.meta.url);

export type MigrationState = {
  /** Migrations of this version that were not applied, the oldest first. */
  missing: string[];
  /** Whether a newer version has migrated the database. */
  isNewer: boolean;
};

/**
 * Compares what was applied with what this version brings along.
 *
 * @throws what the database says; its code is 42P01 where it was never migrated
 */
export async function readMigrationState(sql: Sql): Promise<MigrationState> {
  const { entries } = JSON.parse(await readFile(journal, 'utf8')) as {
    entries: { tag: string; when: number }[];
  };
  const applied = await sql<
    { made: number }[]
  >`SELECT created_at::float8 AS made FROM ${sql(migrationsTable)}`;
  // As the migrator does: what is later than the last one that was applied is missing.
  const last = Math.max(0, ...applied.map(({ made }) => made));
  return {
    missing: entries.filter(({ when }) => when > last).map(({ tag }) => tag),
    isNewer: last > Math.max(...entries.map(({ when }) => when)),
  };
}
