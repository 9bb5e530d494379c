import type { Queryable } from '@segue/database/connection.ts';
import { causedBy } from '@segue/telemetry/origin.ts';
import type { TidalApiError } from '@segue/tidal/http/error.ts';
import { requestOf } from '../ingestion/requestOf.ts';
import type { Library, LibraryTrack } from '../library/library.ts';
import { isrcToStore } from './isrcToStore.ts';
import { deletePending, lockPending, type PendingItem } from './pending.ts';

/**
 * Asks TIDAL for the ISRCs of single tracks, and writes what it answers: each track's ISRC and its request in one
 * transaction. A track that has none at TIDAL stays without. One that TIDAL gave no answer for holds up no other.
 *
 * @param items 20 at the most
 * @param deadline on `performance.now()`
 * @param handBack takes the items that share a failure of TIDAL's
 * @throws what the database says
 */
export async function completeTracks(
  library: Library,
  items: PendingItem[],
  deadline: number,
  handBack: (items: PendingItem[], failure: TidalApiError) => Promise<void>,
): Promise<void> {
  const ids = items.map(({ tidalId }) => tidalId);
  const call = { deadline, background: true };
  const { isrcs, failures } = await library.catalog.batchFetchTrackIsrcs(ids, undefined, call);
  // Before anything is written, so that a failure of the database is not told of these.
  for (const [failure, failed] of Map.groupBy(items, ({ tidalId }) => failures.get(tidalId))) {
    if (failure !== undefined) await handBack(failed, failure);
  }
  for (const item of items) {
    if (failures.has(item.tidalId)) continue;
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
