import type { Queryable } from '@segue/database/connection.ts';
import { noOrigin, type RequestOrigin } from '@segue/ingestion/origin.ts';
import type { IngestionRequest } from '@segue/ingestion/request.ts';
import { insertAlbumRequests } from './enqueue.ts';

/** What the batch of an album counts before and after a part of the album's listing has come. */
export type AlbumPart = {
  /** The album's batch; null when none was made yet. */
  batchId: number | null;
  /** Tracks that were owed until now, and that the batch counts in advance. */
  owedBefore: number;
  /** Tracks that are still owed. */
  owedAfter: number;
};

export type EnqueuedPart = {
  /** Null while there is nothing to count. */
  batchId: number | null;
  /** The counts of a batch that this part has closed: nothing is owed any more, and all of its rows are settled. */
  closed: { totalTracks: number; scheduledCount: number; skippedCount: number } | null;
};

/**
 * Requests those recordings of an album that have come now, to be called in the transaction that writes them into the
 * library. They join the album's batch.
 *
 * The total of a batch is the number of its rows and of the tracks that are owed, so that it stays open until the last
 * late one is settled. Where the last ones turn out not to exist there is no row to close it, and it is closed here.
 */
export async function enqueueAlbumPart(
  db: Queryable,
  requests: IngestionRequest[],
  { batchId, owedBefore, owedAfter }: AlbumPart,
  origin: RequestOrigin = noOrigin,
): Promise<EnqueuedPart> {
  const batch =
    batchId === null ? null : await recount(db, batchId, requests.length + owedAfter - owedBefore);
  if (batch !== null) {
    if (requests.length > 0) await insertAlbumRequests(db, batch.id, requests, origin);
    const { totalTracks, scheduledCount, skippedCount, deadCount } = batch;
    const isClosed =
      requests.length === 0 && totalTracks > 0 && scheduledCount + skippedCount + deadCount === totalTracks;
    return { batchId: batch.id, closed: isClosed ? { totalTracks, scheduledCount, skippedCount } : null };
  }
  if (requests.length === 0) return { batchId: null, closed: null };
  const [made] = await db<[{ id: number }]>`
    INSERT INTO album_ingestion_batches (total_tracks) VALUES (${requests.length + owedAfter}) RETURNING id`;
  await insertAlbumRequests(db, made.id, requests, origin);
  return { batchId: made.id, closed: null };
}

type Batch = {
  id: number;
  totalTracks: number;
  scheduledCount: number;
  skippedCount: number;
  deadCount: number;
};

/** @returns null when the batch is gone: somebody has deleted it */
async function recount(db: Queryable, batchId: number, change: number): Promise<Batch | null> {
  const [batch] = await db<Batch[]>`
    UPDATE album_ingestion_batches SET total_tracks = total_tracks + ${change}::int WHERE id = ${batchId}
    RETURNING id, total_tracks AS "totalTracks", scheduled_count AS "scheduledCount",
      skipped_count AS "skippedCount", dead_count AS "deadCount"`;
  return batch ?? null;
}
