import type { Sql } from '@segue/database/connection.ts';

/** The channel on which an API says that it has committed rows. A hint, never the truth: relays poll as well. */
export const hintChannel = 'ingestion_outbox';

/**
 * Sends the hint. NOTIFY takes a lock on the whole database at commit, so it is never part of a library
 * transaction (recall.ai had three outages that way).
 */
export async function hint(sql: Sql): Promise<void> {
  await sql.notify(hintChannel, '');
}
