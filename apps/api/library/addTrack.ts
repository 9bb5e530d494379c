import type { Queryable } from '@segue/database/connection.ts';
import type { CatalogTrack } from '@segue/tidal/catalog.ts';
import { askCatalog } from '../catalog/askCatalog.ts';
import { isrcToStore } from '../catalog/isrcToStore.ts';
import { notePendingTrack } from '../catalog/pending.ts';
import { findExisting } from './existingItem.ts';
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
    const schedule = (db: Queryable) => scheduler.scheduleTrack(db, requestOf(track), insertTrack(db, item));
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

function requestOf(track: CatalogTrack) {
  return {
    isrc: track.isrc,
    title: track.title,
    artist: track.artistName,
    album: track.albumName,
    artworkUrl: track.coverArtUrl,
  };
}

type NewTrack = Omit<LibraryTrack, 'id' | 'createdAt'>;

function itemOf(userId: string, track: CatalogTrack): NewTrack {
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

function insertTrack(db: Queryable, item: NewTrack) {
  return db<{ id: string; createdAt: string }[]>`
    INSERT INTO library_tracks
      (user_id, tidal_track_id, title, artist_name, album_name, duration, cover_art_url, explicit, isrc,
        isrc_owed)
    VALUES (${item.userId}, ${item.tidalTrackId}, ${item.title}, ${item.artistName}, ${item.albumName},
      ${item.duration}, ${item.coverArtUrl}, ${item.explicit}, ${item.isrc}, ${item.isrcOwed})
    RETURNING id, created_at AS "createdAt"`;
}
