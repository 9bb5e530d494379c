import { type ConnectionOptions, checked, connect, type Sql } from './connection.ts';
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
    return await checked(connect(options), reach);
  } catch (error) {
    if (!refusesSettings(error)) throw error;
    return await checked(connect({ ...options, settings: {}, prepare: false }), reach);
  }
}

/** Whether it was a pooler that answered. PgBouncer 1.18: FATAL 08P01 "unsupported startup parameter: enable_sort". */
function refusesSettings(error: unknown): boolean {
  return error instanceof Error && /unsupported startup parameter/.test(error.message);
}
