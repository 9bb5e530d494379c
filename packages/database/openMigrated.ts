import { type ConnectionOptions, checked, type Sql } from './connection.ts';
import { connectThroughPooler } from './pooler.ts';

/**
 * Opens the pool of a process that works on our tables, directly or through a pooler, once the database is there.
 *
 * @throws Error when it is not there within 5 s, refuses us, or was never migrated; no connection is left behind
 */
export async function openMigrated(options: ConnectionOptions): Promise<Sql> {
  const { schema = 'public' } = options;
  return await checked(await connectThroughPooler({ ...options, schema }), sql =>
    assertMigrated(sql, schema),
  );
}

async function assertMigrated(sql: Sql, schema: string): Promise<void> {
  const [answer] = await sql<[{ migrated: boolean }]>`
    SELECT to_regclass(format('%I.ingestion_outbox', ${schema}::text)) IS NOT NULL AS migrated`;
  if (answer.migrated) return;
  const where = schema === 'public' ? '' : ` in the schema ${schema} (DATABASE_SCHEMA)`;
  throw new Error(`the database of DATABASE_URL has no tables yet${where}: run \`npm run migrate\` first`);
}
