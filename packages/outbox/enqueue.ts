import type { Queryable } from '@segue/database/connection.ts';
import type { IngestionRequest } from '@segue/ingestion/request.ts';
import { booleans } from './booleans.ts';

/**
 * Writes one outbox row for one recording. To be called in the transaction that stores the library row:
 * both commit, or neither (rule R2).
 */
export async function enqueue(db: Queryable, request: IngestionRequest): Promise<void> {
  await db`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, artwork_url, priority, force)
    VALUES (${request.isrc}, ${request.title}, ${request.artist}, ${request.album},
      ${request.artworkUrl ?? null}, ${request.priority ?? 0}, ${request.force ?? false})`;
}

/**
 * Writes one outbox row for each recording of an album, in the order given, and the batch that counts them
 * down. One statement whatever the number, so that it is prepared once.
 */
export async function enqueueAlbum(db: Queryable, requests: IngestionRequest[]): Promise<void> {
  if (requests.length === 0) return;
  await db`
    WITH batch AS (
      INSERT INTO album_ingestion_batches (total_tracks) VALUES (${requests.length}) RETURNING id
    )
    INSERT INTO ingestion_outbox (album_batch_id, isrc, title, artist, album, artwork_url, priority, force)
    SELECT batch.id, request.*
    FROM batch, unnest(
      ${requests.map(request => request.isrc)}::text[],
      ${requests.map(request => request.title)}::text[],
      ${requests.map(request => request.artist)}::text[],
      ${requests.map(request => request.album)}::text[],
      ${requests.map(request => request.artworkUrl ?? null)}::text[],
      ${requests.map(request => request.priority ?? 0)}::smallint[],
      ${booleans(
        db,
        requests.map(request => request.force ?? false),
      )}
    ) AS request`;
}
