import type { Queryable } from '@segue/database/connection.ts';
import { libraryTracks } from '@segue/database/schema/tables.ts';
import type { CatalogTrack } from '@segue/tidal/catalog.ts';
import { askCatalog } from '../catalog/askCatalog.ts';
import { isrcToStore } from '../catalog/isrcToStore.ts';
import { notePendingTrack } from '../catalog/pending.ts';
import { requestOf } from '../ingestion/requestOf.ts';
import { findExisting } from './existingItem.ts';
import { insertItem, type NewItem } from './insertItem.ts';
import type { Addition, Library, LibraryTrack } from './library.ts';
import { violatesUnique } from './uniqueViolation.ts';

/**
 * Adds a track to a user's library and requests its ingestion: both, or neither (rule R2).
 *
 * @param catalogEndsAt until when TIDAL is waited for, on `performance.now()`
 * @throws what the database says
 */
export async function addTrack(
  library: Library,
  userId: string,
  tidalTrackId: string,
  catalogEndsAt = Number.POSITIVE_INFINITY,
): Promise<Addition<LibraryTrack>> {
  const { database, catalog, logger } = library;
  const existingItemId = await findExisting(database.sql, 'track', userId, tidalTrackId);
  if (existingItemId !== null) return { outcome: 'duplicate', existingItemId };

  const answer = await askCatalog(() => catalog.getTrack(tidalTrackId, { deadline: catalogEndsAt }), {
    logger,
    endsAt: catalogEndsAt,
  });
  if (answer.outcome !== 'found') return answer;
  return await storeTrack(library, userId, answer.item);
}

/**
 * The unique constraint decides, not the look before: of requests that add the same track at the same moment,
 * one stores it and the others learn its id.
 */
export async function storeTrack(
  library: Library,
  userId: string,
  track: CatalogTrack,
): Promise<Addition<LibraryTrack>> {
  const { database, scheduler } = library;
  const startedAt = performance.now();
  try {
    const item = itemOf(userId, track);
    const schedule = (db: Queryable) =>
      scheduler.scheduleTrack(db, requestOf(track), insertItem(db, libraryTracks, item));
    const { item: stored, scheduling } = track.isrcOwed
      ? await database.sql.begin(async transaction => {
          const scheduled = await schedule(transaction);
          await notePendingTrack(transaction, scheduled.item.id, track.tidalId);
          return scheduled;
        })
      : await schedule(database.sql);
    scheduler.announce(scheduling, performance.now() - startedAt);
    return { outcome: 'added', item: { id: stored.id, ...item, createdAt: new Date(stored.createdAt) } };
  } catch (error) {
    if (!violatesUnique('library_tracks_user_track', error)) throw error;
    const existingItemId = await findExisting(database.sql, 'track', userId, track.tidalId);
    if (existingItemId !== null) return { outcome: 'duplicate', existingItemId };
    // Removed again between the two statements: the way is free.
    return await storeTrack(library, userId, track);
  }
}

function itemOf(userId: string, track: CatalogTrack): NewItem<typeof libraryTracks> {
  return {
    userId,
    tidalTrackId: track.tidalId,
    title: track.title,
    artistName: track.artistName,
    albumName: track.albumName,
    duration: track.duration,
    coverArtUrl: track.coverArtUrl,
    explicit: track.explicit,
    isrc: isrcToStore(track.isrc),
    isrcOwed: track.isrcOwed,
  };
}
