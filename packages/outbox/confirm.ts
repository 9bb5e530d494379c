import type { Queryable } from '@segue/database/connection.ts';

const rowsAtOnce = 1_000;

/** Recordings that were sent, and of which it is not known whether they have reached the index. */
export type Unconfirmed = {
  isrcs: string[];
  /** Where the next page goes on, towards older rows; null when there are none within the time. */
  before: number | null;
};

/**
 * Reads which recordings were sent between `oldestMs` and `youngestMs` ago and not seen in the index since: one
 * page of {@link rowsAtOnce} requests, the newest first, so that history, however long, is not looked at.
 *
 * @param before only requests older than this one
 */
export async function readUnconfirmed(
  db: Queryable,
  { oldestMs, youngestMs, before }: { oldestMs: number; youngestMs: number; before: number },
): Promise<Unconfirmed> {
  const [answer] = await db<[{ isrcs: string[] | null; before: number | null }]>`
    WITH page AS MATERIALIZED (
      SELECT id, status, settled_at, created_at > now() - ${oldestMs} * interval '1 millisecond' AS recent
      FROM ingestion_outbox WHERE id < ${before} ORDER BY id DESC LIMIT ${rowsAtOnce}
    ),
    sent AS (
      SELECT DISTINCT ledger.isrc
      FROM page
      JOIN ingestion_outbox AS request ON request.id = page.id
      JOIN ingestion_ledger AS ledger ON ledger.isrc = request.isrc AND ledger.outbox_id = request.id
      WHERE page.recent AND page.status = 'scheduled'
        AND page.settled_at < now() - ${youngestMs} * interval '1 millisecond'
        AND (ledger.indexed_at IS NULL OR ledger.indexed_at < ledger.sent_at)
    )
    SELECT (SELECT array_agg(isrc) FROM sent) AS isrcs,
      (SELECT min(id) FROM page HAVING bool_or(recent)) AS before`;
  return { isrcs: answer.isrcs ?? [], before: answer.before };
}

/** Notes that the recordings were seen in the index. Locked in the ledger's order, as a taking locks them. */
export async function confirmIndexed(db: Queryable, isrcs: string[]): Promise<void> {
  await db`
    WITH seen AS MATERIALIZED (
      SELECT isrc FROM ingestion_ledger WHERE isrc = ANY(${isrcs}::text[]) ORDER BY isrc FOR UPDATE
    ),
    -- What was sent anew has arrived: should it vanish again, it is counted from the beginning.
    arrived AS (
      DELETE FROM ingestion_reconciled AS past USING seen WHERE past.isrc = seen.isrc
    )
    UPDATE ingestion_ledger AS ledger SET indexed_at = now() FROM seen WHERE ledger.isrc = seen.isrc`;
}
