import type { Queryable } from '@segue/database/connection.ts';

/** Small enough to hold no lock for long and to leave vacuum a few pages at a time. */
const rowsAtOnce = 1_000;

/** The least id that there can be. */
const lowestId = '-9223372036854775808';

type RetentionPage = { deleted: number; last: string | null };

/**
 * Deletes settled rows older than the retention, at most {@link rowsAtOnce}, starting behind a given id. It
 * walks the primary key, in whose order rows are also written and, nearly, settled: an index on `settled_at`
 * would cost every settlement an entry for the sake of a deletion days later.
 *
 * @param after as a text, since other services may give ids beyond 2^53; null for the beginning
 * @returns how many were deleted and the last id that was looked at, from which to go on; null when nothing
 * older is left
 */
export async function deleteSettled(
  db: Queryable,
  { olderThanMs, after }: { olderThanMs: number; after: string | null },
): Promise<RetentionPage> {
  const [answer] = await db<[RetentionPage]>`
    WITH page AS MATERIALIZED (
      SELECT id, settled_at, created_at < now() - ${olderThanMs} * interval '1 millisecond' AS old
      FROM ingestion_outbox WHERE id >= ${after ?? lowestId}::bigint AND id IS DISTINCT FROM ${after}::bigint
      ORDER BY id LIMIT ${rowsAtOnce}
    ),
    expired AS (
      DELETE FROM ingestion_outbox AS request USING page
      WHERE request.id = page.id
        AND page.settled_at < now() - ${olderThanMs} * interval '1 millisecond'
        AND request.status IN ('scheduled', 'skipped', 'dead')
      RETURNING request.id
    )
    SELECT (SELECT count(*)::int FROM expired) AS deleted,
      -- A row is settled after it is made, so behind a page of young rows nothing has expired either.
      (SELECT max(id)::text FROM page HAVING bool_or(old)) AS last`;
  return answer;
}

/** Deletes all settled rows older than the retention, page after page. Yields how many each page had. */
export async function* deleteSettledPages(
  db: Queryable,
  { olderThanMs }: { olderThanMs: number },
): AsyncGenerator<number, void, void> {
  let after: string | null = null;
  do {
    const page: RetentionPage = await deleteSettled(db, { olderThanMs, after });
    after = page.last;
    yield page.deleted;
  } while (after !== null);
}

/** Deletes the counts of closed albums that were requested longer ago than the retention, at most {@link rowsAtOnce}. */
export async function deleteClosedBatches(
  db: Queryable,
  { olderThanMs }: { olderThanMs: number },
): Promise<number> {
  const rows = await db`
    DELETE FROM album_ingestion_batches WHERE id IN (
      SELECT id FROM album_ingestion_batches
      WHERE created_at < now() - ${olderThanMs} * interval '1 millisecond'
        AND scheduled_count + skipped_count + dead_count = total_tracks
      ORDER BY id LIMIT ${rowsAtOnce}
    ) RETURNING id`;
  return rows.length;
}
