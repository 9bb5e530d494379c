import { type ConnectionOptions, connect, type Sql } from './connection.ts';

/**
 * Opens a pool and makes sure that the database answers. Session settings are sent with each connection; where
 * a pooler stands in front and refuses them, as PgBouncer does, the pool goes without, and without prepared
 * statements, too, since a pooler in transaction mode hands each transaction to another session.
 *
 * @throws what the database says, or why it cannot be reached
 */
export async function connectThroughPooler(options: ConnectionOptions): Promise<Sql> {
  const sql = connect(options);
  try {
    await sql`SELECT 1`;
    return sql;
  } catch (error) {
    await sql.end({ timeout: 1 });
    if (!refusesSettings(error)) throw error;
    return connect({ ...options, settings: {}, prepare: false });
  }
}

/** Whether it was a pooler that answered. PgBouncer 1.18: FATAL 08P01 "unsupported startup parameter: enable_sort". */
export function refusesSettings(error: unknown): boolean {
  return error instanceof Error && /unsupported startup parameter/.test(error.message);
}
