import type { Queryable } from '@segue/database/connection.ts';
import { owned } from './settle.ts';

/**
 * Hands rows back, to be claimed again after `delayMs`. No attempt is counted: what stopped them was not
 * theirs (an outage, a shutdown, another row that holds the recording).
 *
 * @param error why, for people who look into the table; null leaves what stands there
 * @returns the ids that were still this lease's
 */
export async function release(
  db: Queryable,
  lease: string,
  ids: number[],
  { delayMs, error = null }: { delayMs: number; error?: string | null },
): Promise<number[]> {
  const rows = await db<{ id: number }[]>`
    UPDATE ingestion_outbox AS request
    SET status = 'pending', lease = NULL, available_at = now() + ${delayMs} * interval '1 millisecond',
      last_error = coalesce(${error}, last_error)
    WHERE id = ANY(${ids}::bigint[]) AND ${owned(db, lease)}
    RETURNING id`;
  return rows.map(row => row.id);
}

/**
 * Hands a row back that Inngest refused: an attempt is counted, and the row waits `delayMs` for its next.
 *
 * @returns whether the row was still this lease's
 */
export async function retryLater(
  db: Queryable,
  lease: string,
  id: number,
  { delayMs, error }: { delayMs: number; error: string },
): Promise<boolean> {
  const rows = await db`
    UPDATE ingestion_outbox AS request
    SET status = 'pending', lease = NULL, attempts = attempts + 1, last_error = ${error},
      available_at = now() + ${delayMs} * interval '1 millisecond'
    WHERE id = ${id} AND ${owned(db, lease)}
    RETURNING id`;
  return rows.length === 1;
}
