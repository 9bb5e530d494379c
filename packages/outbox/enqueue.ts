import type { Queryable } from '@segue/database/connection.ts';
import { noOrigin, type RequestOrigin } from '@segue/ingestion/origin.ts';
import type { IngestionRequest } from '@segue/ingestion/request.ts';
import type { PendingQuery, Row } from 'postgres';
import { arrayText } from './arrayText.ts';

/**
 * Runs a statement that stores an item and requests the ingestion of its recording in the same statement: both
 * are written, or neither (rule R2). One statement is one round trip, where a transaction of two takes three.
 *
 * @param storing an INSERT … RETURNING, not yet awaited
 * @returns what `storing` returns
 */
export function storeAndEnqueue<Stored extends Row>(
  db: Queryable,
  storing: PendingQuery<Stored[]>,
  request: IngestionRequest,
  origin: RequestOrigin = noOrigin,
): PendingQuery<Stored[]> {
  return db<Stored[]>`
    WITH stored AS (${storing}),
    requested AS (
      INSERT INTO ingestion_outbox
        (isrc, title, artist, album, artwork_url, priority, force, request_id, traceparent)
      VALUES (${request.isrc}, ${request.title}, ${request.artist}, ${request.album},
        ${request.artworkUrl ?? null}, ${request.priority ?? 0}, ${request.force ?? false},
        ${origin.requestId}, ${origin.traceparent})
    )
    SELECT * FROM stored`;
}

/**
 * The same for an album: one outbox row for each recording, in the order given, and the batch that counts them
 * down. One statement whatever the number, so that it is prepared once.
 */
export function storeAndEnqueueAlbum<Stored extends Row>(
  db: Queryable,
  storing: PendingQuery<Stored[]>,
  requests: IngestionRequest[],
  origin: RequestOrigin = noOrigin,
): PendingQuery<Stored[]> {
  return db<Stored[]>`
    WITH stored AS (${storing}),
    batch AS (
      INSERT INTO album_ingestion_batches (total_tracks) VALUES (${requests.length}) RETURNING id
    ),
    requested AS (${albumRequests(db, db`SELECT id FROM batch`, requests, origin)})
    SELECT * FROM stored`;
}

/** Writes an outbox row for each recording of an album, into a batch that is there already. */
export async function insertAlbumRequests(
  db: Queryable,
  batchId: number,
  requests: IngestionRequest[],
  origin: RequestOrigin = noOrigin,
): Promise<void> {
  await albumRequests(db, db`SELECT ${batchId}::bigint AS id`, requests, origin);
}

function albumRequests(
  db: Queryable,
  batch: PendingQuery<Row[]>,
  requests: IngestionRequest[],
  origin: RequestOrigin,
): PendingQuery<Row[]> {
  return db`
    INSERT INTO ingestion_outbox
      (album_batch_id, request_id, traceparent, isrc, title, artist, album, artwork_url, priority, force)
    SELECT batch.id, ${origin.requestId}::uuid, ${origin.traceparent}::text, request.*
    FROM (${batch}) AS batch, unnest(
      ${arrayText(requests.map(request => request.isrc))}::text::text[],
      ${arrayText(requests.map(request => request.title))}::text::text[],
      ${arrayText(requests.map(request => request.artist))}::text::text[],
      ${arrayText(requests.map(request => request.album))}::text::text[],
      ${arrayText(requests.map(request => request.artworkUrl ?? null))}::text::text[],
      ${arrayText(requests.map(request => request.priority ?? 0))}::text::smallint[],
      ${arrayText(requests.map(request => request.force ?? false))}::text::boolean[]
    ) AS request`;
}
