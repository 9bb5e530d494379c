import type { Queryable } from '@segue/database/connection.ts';
import { causedBy } from '@segue/telemetry/origin.ts';
import { requestOf } from '../ingestion/requestOf.ts';
import type { Library, LibraryTrack } from '../library/library.ts';
import { isrcToStore } from './isrcToStore.ts';
import { deletePending, lockPending, type PendingItem } from './pending.ts';

/**
 * Asks TIDAL for the ISRCs of single tracks, and writes what it answers: each track's ISRC and its request in one
 * transaction. A track that has none at TIDAL stays without.
 *
 * @param items 20 at the most
 * @param deadline on `performance.now()`
 * @throws TidalApiError when TIDAL cannot be asked; what the database says
 */
export async function completeTracks(
  library: Library,
  items: PendingItem[],
  deadline: number,
): Promise<void> {
  const ids = items.map(({ tidalId }) => tidalId);
  const isrcs = await library.catalog.batchFetchTrackIsrcs(ids, undefined, { deadline, background: true });
  for (const item of items) {
    await causedBy(item.origin, () => writeIsrc(library, item, isrcs.get(item.tidalId) ?? null));
  }
}

async function writeIsrc({ database, scheduler }: Library, item: PendingItem, isrc: string | null) {
  const startedAt = performance.now();
  const scheduling = await database.sql.begin(async transaction => {
    // The track first, as a removal locks it first: the two cannot wait for one another.
    const track = await lockTrack(transaction, item.itemId);
    if (track === null || (await lockPending(transaction, item)) === null) return null;
    await deletePending(transaction, item.itemId);
    const storing = transaction`
      UPDATE library_tracks SET isrc = ${isrcToStore(isrc)}, isrc_owed = false WHERE id = ${item.itemId}
      RETURNING id`;
    const scheduled = await scheduler.scheduleTrack(transaction, requestOf({ ...track, isrc }), storing);
    return scheduled.scheduling;
  });
  // That it has no ISRC was said when it was added.
  if (scheduling !== null && isrc !== null) scheduler.announce(scheduling, performance.now() - startedAt);
}

type StoredTrack = Pick<LibraryTrack, 'title' | 'artistName' | 'albumName' | 'coverArtUrl'>;

async function lockTrack(transaction: Queryable, id: string): Promise<StoredTrack | null> {
  const [row] = await transaction<StoredTrack[]>`
    SELECT title, artist_name AS "artistName", album_name AS "albumName", cover_art_url AS "coverArtUrl"
    FROM library_tracks WHERE id = ${id} FOR UPDATE`;
  return row ?? null;
}
