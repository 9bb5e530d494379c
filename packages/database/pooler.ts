import { type ConnectionOptions, connect, type Sql } from './connection.ts';
import { reach } from './reach.ts';

/**
 * Opens a pool and makes sure that the database answers. Session settings are sent with each connection; where
 * a pooler stands in front and refuses them, as PgBouncer does, the pool goes without, and without prepared
 * statements, too, since a pooler in transaction mode hands each transaction to another session.
 *
 * @throws Error as `reach.ts` says it
 */
export async function connectThroughPooler(options: ConnectionOptions): Promise<Sql> {
  try {
    return await connectAtOnce(options);
  } catch (error) {
    if (!refusesSettings(error)) throw error;
    return await connectAtOnce({ ...options, settings: {}, prepare: false });
  }
}

async function connectAtOnce(options: ConnectionOptions): Promise<Sql> {
  const sql = connect(options);
  try {
    await reach(sql);
    return sql;
  } catch (error) {
    await sql.end({ timeout: 1 });
    throw error;
  }
}

/** Whether it was a pooler that answered. PgBouncer 1.18: FATAL 08P01 "unsupported startup parameter: enable_sort". */
function refusesSettings(error: unknown): boolean {
  return error instanceof Error && /unsupported startup parameter/.test(error.message);
}
