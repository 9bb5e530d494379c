import type { Queryable } from '@segue/database/connection.ts';
import type { AlbumListing, CatalogAlbum } from '@segue/tidal/catalog.ts';
import { askCatalog } from '../catalog/askCatalog.ts';
import { isrcToStore } from '../catalog/isrcToStore.ts';
import { findExisting } from './existingItem.ts';
import type { Addition, Library, LibraryAlbum } from './library.ts';
import { violatesUnique } from './uniqueViolation.ts';

/**
 * Adds an album to a user's library and requests the ingestion of each of its recordings: all, or nothing
 * (rule R2). A listing that is partly unavailable is stored as far as it goes.
 *
 * @param catalogEndsAt until when TIDAL is waited for, on `performance.now()`
 * @throws what the database says
 */
export async function addAlbum(
  library: Library,
  userId: string,
  tidalAlbumId: string,
  catalogEndsAt = Number.POSITIVE_INFINITY,
): Promise<Addition<LibraryAlbum>> {
  const { database, catalog, logger } = library;
  const existingItemId = await findExisting(database.sql, 'album', userId, tidalAlbumId);
  if (existingItemId !== null) return { outcome: 'duplicate', existingItemId };

  const asking = { logger, endsAt: catalogEndsAt };
  const answer = await askCatalog(() => catalog.getAlbum(tidalAlbumId), asking);
  if (answer.outcome !== 'found') return answer;
  const album = answer.item;
  const listing = await askCatalog(() => catalog.getAlbumListing(album.tidalId, album.numberOfItems), asking);
  if (listing.outcome !== 'found') return listing;
  const { tracks, problem } = listing.item;
  if (problem !== null) {
    const total = album.numberOfItems === null ? {} : { total_tracks: album.numberOfItems };
    logger.error(
      { event: 'album_track_listing_error', error: problem, ...total },
      `album ${album.tidalId} is listed with ${tracks.length} tracks`,
    );
  }
  return await storeAlbum(library, userId, album, tracks);
}

/** The unique constraint decides, not the look before, as with a track. */
async function storeAlbum(
  library: Library,
  userId: string,
  album: CatalogAlbum,
  tracks: AlbumListing['tracks'],
): Promise<Addition<LibraryAlbum>> {
  const { database, scheduler } = library;
  const startedAt = performance.now();
  try {
    const item = itemOf(userId, album, tracks);
    const requests = tracks.map(track => ({
      isrc: track.isrc,
      title: track.title,
      artist: track.artistName,
      album: album.title,
      artworkUrl: album.coverArtUrl,
    }));
    const { item: stored, scheduling } = await scheduler.scheduleAlbumTracks(
      database.sql,
      { tracks: requests },
      insertAlbum(database.sql, item),
    );
    scheduler.announce(scheduling, performance.now() - startedAt);
    return { outcome: 'added', item: { id: stored.id, ...item, createdAt: new Date(stored.createdAt) } };
  } catch (error) {
    if (!violatesUnique('library_albums_user_album', error)) throw error;
    const existingItemId = await findExisting(database.sql, 'album', userId, album.tidalId);
    if (existingItemId !== null) return { outcome: 'duplicate', existingItemId };
    // Removed again between the two statements: the way is free.
    return await storeAlbum(library, userId, album, tracks);
  }
}

type NewAlbum = Omit<LibraryAlbum, 'id' | 'createdAt'>;

function itemOf(userId: string, album: CatalogAlbum, tracks: AlbumListing['tracks']): NewAlbum {
  return {
    userId,
    tidalAlbumId: album.tidalId,
    title: album.title,
    artistName: album.artistName,
    coverArtUrl: album.coverArtUrl,
    releaseDate: album.releaseDate,
    trackCount: Math.max(album.numberOfItems ?? 0, tracks.length),
    trackListing: tracks.map(({ position, title, duration, tidalId, explicit, isrc }) => ({
      position,
      title,
      duration,
      tidalId,
      explicit,
      isrc: isrcToStore(isrc),
    })),
  };
}

function insertAlbum(db: Queryable, item: NewAlbum) {
  return db<{ id: string; createdAt: string }[]>`
    INSERT INTO library_albums
      (user_id, tidal_album_id, title, artist_name, cover_art_url, release_date, track_count, track_listing)
    VALUES (${item.userId}, ${item.tidalAlbumId}, ${item.title}, ${item.artistName}, ${item.coverArtUrl},
      ${item.releaseDate}, ${item.trackCount}, ${JSON.stringify(item.trackListing)})
    RETURNING id, created_at AS "createdAt"`;
}
