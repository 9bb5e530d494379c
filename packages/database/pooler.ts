import { type ConnectionOptions, checked, connect, type Sql } from './connection.ts';
import { reach } from './reach.ts';

/** What a pool of ours waits for an answer by default. R1 leaves an addition 5 s in all. */
const defaultDeadlineMs = 5_000;

/**
 * Opens a pool and makes sure that the database answers. Each of its statements has a deadline, 5 s by default.
 * Session settings are sent with each connection; where a pooler stands in front and refuses them, as PgBouncer does,
 * the pool goes without, and without prepared statements, too, since a pooler in transaction mode hands each
 * transaction to another session.
 *
 * @throws Error as `reach.ts` says it; for a `schema` that is not where the pooler's sessions look
 */
export async function connectThroughPooler(given: ConnectionOptions): Promise<Sql> {
  const options = { deadlineMs: defaultDeadlineMs, ...given };
  try {
    return await checked(connect(options), reach);
  } catch (error) {
    if (!refusesSettings(error)) throw error;
    const { schema } = options;
    return await checked(connect({ ...options, prepare: false, bare: true }), async sql => {
      await reach(sql);
      if (schema !== undefined) await assertLooksInto(sql, schema);
    });
  }
}

/** Whether it was a pooler that answered. PgBouncer 1.18: FATAL 08P01 "unsupported startup parameter: enable_sort". */
function refusesSettings(error: unknown): boolean {
  return error instanceof Error && /unsupported startup parameter/.test(error.message);
}

async function assertLooksInto(sql: Sql, schema: string): Promise<void> {
  const [row] = await sql`SELECT current_schema() AS current, current_user AS name`;
  if (row?.current === schema) return;
  throw new Error(
    `sessions through this pooler look into the schema ${row?.current}, and DATABASE_SCHEMA is ${schema}: ` +
      `ALTER ROLE ${row?.name} SET search_path = ${schema}, or connect without the pooler`,
  );
}
