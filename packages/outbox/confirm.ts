import type { Queryable } from '@segue/database/connection.ts';

const rowsAtOnce = 1_000;

/** A place in the order of {@link readUnconfirmed}. */
type Place = { sentAt: string; isrc: string };

/** Recordings that were sent, and of which it is not known whether they have reached the index. */
export type Unconfirmed = {
  /** `isOverdue`: sent longer ago than `overdueMs`. */
  recordings: { isrc: string; isOverdue: boolean }[];
  /** The last of them, where the next page goes on; null when this is the last page. */
  last: Place | null;
};

/**
 * Reads which recordings were sent more than `youngestMs` ago and not seen in the index since: one page, the newest
 * first. An index on the ledger holds these alone, so that history, however long, is not looked at: a hundred pages
 * take a second.
 *
 * @param after where the page before ended; null for the first page
 */
export async function readUnconfirmed(
  db: Queryable,
  { youngestMs, overdueMs, after }: { youngestMs: number; overdueMs: number; after: Place | null },
): Promise<Unconfirmed> {
  const rows = await db<(Place & { isOverdue: boolean })[]>`
    SELECT isrc, sent_at::text AS "sentAt", sent_at < now() - ${overdueMs} * interval '1 millisecond' AS "isOverdue"
    FROM ingestion_ledger
    WHERE sent_at IS NOT NULL AND (indexed_at IS NULL OR indexed_at < sent_at)
      AND sent_at < now() - ${youngestMs} * interval '1 millisecond'
      AND (sent_at, isrc) < (${after?.sentAt ?? 'infinity'}::text::timestamptz, ${after?.isrc ?? ''}::text)
    ORDER BY sent_at DESC, isrc DESC LIMIT ${rowsAtOnce}::int`;
  const last = rows.length < rowsAtOnce ? null : (rows.at(-1) ?? null);
  return { recordings: rows.map(({ isrc, isOverdue }) => ({ isrc, isOverdue })), last };
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
