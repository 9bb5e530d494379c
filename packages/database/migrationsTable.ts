import { readMigrationFiles } from 'drizzle-orm/migrator';
import type { Sql } from './connection.ts';
import { migrationsTable } from './migrationState.ts';

/** What it was called before. */
const earlierName = 'schema_migrations';

/**
 * Takes over the table of migrations under its earlier name: renames it when it is ours, copies our rows out of it
 * when another program has put its own there, too, and leaves alone what is none of ours.
 *
 * @param schema where the tables are
 */
export async function adoptEarlierTable(sql: Sql, schema: string, migrationsFolder: string): Promise<void> {
  const [found] = await sql`
    SELECT to_regclass(format('%I.%I', ${schema}::text, ${migrationsTable}::text)) IS NULL
      AND to_regclass(format('%I.ingestion_outbox', ${schema}::text)) IS NOT NULL AS missing`;
  if (!found?.missing) return;
  const ours = readMigrationFiles({ migrationsFolder }).map(({ folderMillis }) => folderMillis);
  // It was in public, wherever the tables were.
  for (const where of new Set([schema, 'public'])) {
    if (!(await isOfDrizzle(sql, where))) continue;
    const rows = await sql`SELECT created_at::float8 AS made FROM ${sql(where)}.${sql(earlierName)}`;
    const known = rows.filter(({ made }) => ours.includes(made));
    if (!known.some(({ made }) => made === ours[0])) continue;
    if (known.length === rows.length) await rename(sql, where, schema);
    else await copy(sql, where, schema, ours);
    return;
  }
}

/** Rails and Ecto have other columns. */
async function isOfDrizzle(sql: Sql, schema: string): Promise<boolean> {
  const [row] = await sql`
    SELECT count(*)::int AS columns FROM pg_attribute
    WHERE attrelid = to_regclass(format('%I.%I', ${schema}::text, ${earlierName}::text))
      AND attname IN ('id', 'hash', 'created_at') AND NOT attisdropped`;
  return row?.columns === 3;
}

async function rename(sql: Sql, from: string, schema: string): Promise<void> {
  await sql.begin(async transaction => {
    await transaction`ALTER TABLE ${sql(from)}.${sql(earlierName)} RENAME TO ${sql(migrationsTable)}`;
    await transaction`
      ALTER SEQUENCE IF EXISTS ${sql(from)}.${sql(`${earlierName}_id_seq`)} RENAME TO ${sql(`${migrationsTable}_id_seq`)}`;
    if (from !== schema) {
      await transaction`ALTER TABLE ${sql(from)}.${sql(migrationsTable)} SET SCHEMA ${sql(schema)}`;
    }
  });
}

/** As Drizzle makes it. */
async function copy(sql: Sql, from: string, schema: string, ours: number[]): Promise<void> {
  await sql.begin(async transaction => {
    await transaction`
      CREATE TABLE ${sql(schema)}.${sql(migrationsTable)} (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)`;
    await transaction`
      INSERT INTO ${sql(schema)}.${sql(migrationsTable)} (hash, created_at)
      SELECT hash, created_at FROM ${sql(from)}.${sql(earlierName)} WHERE created_at = ANY(${ours}::bigint[]) ORDER BY id`;
  });
}
