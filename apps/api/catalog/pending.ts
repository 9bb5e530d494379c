import { randomUUID } from 'node:crypto';
import type { Queryable } from '@segue/database/connection.ts';
import type { RequestOrigin } from '@segue/ingestion/origin.ts';
import { currentOrigin } from '@segue/telemetry/origin.ts';
import type { OwedListing } from '@segue/tidal/catalog.ts';

/** An item for which TIDAL has still to be asked, held by this process until its lease ends. */
export type PendingItem = {
  itemId: string;
  tidalId: string;
  lease: string;
  /** Who added it: what comes late is requested in that name. */
  origin: RequestOrigin;
};

/** An album, with how far its listing was read. */
export type PendingAlbum = PendingItem & { owed: OwedListing };

type Owed = { tidalId: string; owed: OwedListing; tracksOwed: number; batchId: number | null };

/** Notes what TIDAL owes of an album, in the transaction that stores it. */
export async function notePendingAlbum(transaction: Queryable, itemId: string, album: Owed): Promise<void> {
  const { requestId, traceparent } = currentOrigin();
  await transaction`
    INSERT INTO catalog_pending
      (item_id, kind, tidal_id, owed, tracks_owed, album_batch_id, request_id, traceparent)
    VALUES (${itemId}, 'album', ${album.tidalId}, ${JSON.stringify(album.owed)}, ${album.tracksOwed},
      ${album.batchId}, ${requestId}, ${traceparent})`;
}

/** Notes that TIDAL owes the ISRC of a track, in the transaction that stores it. */
export async function notePendingTrack(
  transaction: Queryable,
  itemId: string,
  tidalId: string,
): Promise<void> {
  const { requestId, traceparent } = currentOrigin();
  await transaction`
    INSERT INTO catalog_pending (item_id, kind, tidal_id, tracks_owed, request_id, traceparent)
    VALUES (${itemId}, 'track', ${tidalId}, 1, ${requestId}, ${traceparent})`;
}

/**
 * Takes items that are due, for `leaseMs` from now on the database's clock. Those of another process whose lease has ended
 * are due again.
 *
 * @param limits how many of each kind at the most
 */
export async function claimPending(
  db: Queryable,
  limits: { albums: number; tracks: number },
  leaseMs: number,
): Promise<{ albums: PendingAlbum[]; tracks: PendingItem[] }> {
  const lease = randomUUID();
  const rows = await db<({ itemId: string; tidalId: string; owed: string | null } & RequestOrigin)[]>`
    WITH albums AS MATERIALIZED (
      SELECT item_id FROM catalog_pending WHERE kind = 'album' AND available_at <= now()
      ORDER BY available_at LIMIT ${limits.albums}::int FOR UPDATE SKIP LOCKED
    ),
    tracks AS MATERIALIZED (
      SELECT item_id FROM catalog_pending WHERE kind = 'track' AND available_at <= now()
      ORDER BY available_at LIMIT ${limits.tracks}::int FOR UPDATE SKIP LOCKED
    )
    UPDATE catalog_pending AS pending
    SET lease = ${lease}::uuid, available_at = now() + ${leaseMs} * interval '1 millisecond'
    WHERE pending.item_id = ANY(ARRAY(SELECT item_id FROM albums UNION ALL SELECT item_id FROM tracks))
    RETURNING pending.item_id AS "itemId", pending.tidal_id AS "tidalId", pending.owed::text AS owed,
      pending.request_id AS "requestId", pending.traceparent`;
  const albums: PendingAlbum[] = [];
  const tracks: PendingItem[] = [];
  for (const { itemId, tidalId, owed, requestId, traceparent } of rows) {
    const item = { itemId, tidalId, lease, origin: { requestId, traceparent } };
    if (owed === null) tracks.push(item);
    else albums.push({ ...item, owed: JSON.parse(owed) });
  }
  return { albums, tracks };
}

/** What the batch of an album counts, read under the lease and locked until the transaction ends. */
export async function lockPending(
  transaction: Queryable,
  { itemId, lease }: PendingItem,
): Promise<{ batchId: number | null; tracksOwed: number } | null> {
  const [row] = await transaction<{ batchId: number | null; tracksOwed: number }[]>`
    SELECT album_batch_id AS "batchId", tracks_owed AS "tracksOwed" FROM catalog_pending
    WHERE item_id = ${itemId} AND lease = ${lease}::uuid FOR UPDATE`;
  return row ?? null;
}

/** Writes how far an album has come. The lease goes on, and its failures are forgotten. */
export async function writeProgress(
  transaction: Queryable,
  itemId: string,
  { owed, tracksOwed, batchId }: Omit<Owed, 'tidalId'>,
): Promise<void> {
  await transaction`
    UPDATE catalog_pending
    SET owed = ${JSON.stringify(owed)}, tracks_owed = ${tracksOwed}, album_batch_id = ${batchId},
      attempts = 0, failing_since = NULL, last_error = NULL
    WHERE item_id = ${itemId}`;
}

/** Says that nothing is owed any more. */
export async function deletePending(transaction: Queryable, itemId: string): Promise<void> {
  await transaction`DELETE FROM catalog_pending WHERE item_id = ${itemId}`;
}

/** Keeps items for `leaseMs` more. One that another process has taken over meanwhile stays with that process. */
export async function renewPending(
  db: Queryable,
  items: Pick<PendingItem, 'itemId' | 'lease'>[],
  leaseMs: number,
): Promise<void> {
  await db`
    UPDATE catalog_pending SET available_at = now() + ${leaseMs} * interval '1 millisecond'
    WHERE item_id = ANY(${items.map(({ itemId }) => itemId)}::uuid[])
      AND lease = ANY(${items.map(({ lease }) => lease)}::uuid[])`;
}

/** Hands items back, to be taken again after `delayMs`. */
export async function releasePending(
  db: Queryable,
  items: Pick<PendingItem, 'itemId' | 'lease'>[],
  delayMs = 0,
): Promise<void> {
  await db`
    UPDATE catalog_pending SET lease = NULL, available_at = now() + ${delayMs} * interval '1 millisecond'
    WHERE item_id = ANY(${items.map(({ itemId }) => itemId)}::uuid[])
      AND lease = ANY(${items.map(({ lease }) => lease)}::uuid[])`;
}

/**
 * Hands items back for which TIDAL could not be asked. The next attempt comes after a quarter of the time that they have
 * failed for, from 2 s to an hour, so that after an outage of TIDAL's they are late by a quarter of it at the most.
 */
export async function retryPendingLater(
  db: Queryable,
  items: Pick<PendingItem, 'itemId' | 'lease'>[],
  error: string,
): Promise<void> {
  await db`
    UPDATE catalog_pending
    SET lease = NULL, attempts = attempts + 1, last_error = ${error},
      failing_since = coalesce(failing_since, now()),
      available_at = now() + (0.8 + 0.2 * random())
        * least(interval '1 hour', greatest(interval '2 seconds', (now() - coalesce(failing_since, now())) / 4))
    WHERE item_id = ANY(${items.map(({ itemId }) => itemId)}::uuid[])
      AND lease = ANY(${items.map(({ lease }) => lease)}::uuid[])`;
}
