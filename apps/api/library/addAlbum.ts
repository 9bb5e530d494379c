import { libraryAlbums } from '@segue/database/schema/tables.ts';
import { crashPoint } from '@segue/process/crashPoint.ts';
import { countOwed } from '@segue/tidal/albums/listingOrder.ts';
import type { AlbumListing, CatalogAlbum, OwedListing } from '@segue/tidal/catalog.ts';
import { askCatalog } from '../catalog/askCatalog.ts';
import { askForListing } from '../catalog/askForListing.ts';
import { isrcToStore } from '../catalog/isrcToStore.ts';
import { notePendingAlbum } from '../catalog/pending.ts';
import type { TrackIngestionRequest } from '../ingestion/ingestionScheduler.ts';
import { requestOfListed } from '../ingestion/requestOf.ts';
import { findExisting } from './existingItem.ts';
import { insertItem, type NewItem, type StoredItem } from './insertItem.ts';
import type { Addition, Library, LibraryAlbum } from './library.ts';
import { violatesUnique } from './uniqueViolation.ts';

/** Until when TIDAL is waited for, on `performance.now()`. */
export type CatalogTimes = {
  /** For the album itself, without which nothing is stored. */
  itemEndsAt: number;
  /** For its tracks: those that are missing then are completed later. */
  listingEndsAt: number;
};

const untilAnswered = { itemEndsAt: Number.POSITIVE_INFINITY, listingEndsAt: Number.POSITIVE_INFINITY };

/**
 * Adds an album to a user's library and requests the ingestion of each of its recordings: all, or nothing
 * (rule R2). A listing that is partly unavailable is stored as far as it goes, with what TIDAL still owes of it (rule R11).
 *
 * @throws what the database says
 */
export async function addAlbum(
  library: Library,
  userId: string,
  tidalAlbumId: string,
  { itemEndsAt, listingEndsAt }: CatalogTimes = untilAnswered,
): Promise<Addition<LibraryAlbum>> {
  const { database, catalog, logger } = library;
  const existingItemId = await findExisting(database.sql, 'album', userId, tidalAlbumId);
  if (existingItemId !== null) return { outcome: 'duplicate', existingItemId };

  const answer = await askCatalog(() => catalog.getAlbum(tidalAlbumId, { deadline: itemEndsAt }), {
    logger,
    endsAt: itemEndsAt,
  });
  if (answer.outcome !== 'found') return answer;
  const album = answer.item;
  const listing = await askForListing(catalog, album, listingEndsAt);
  const { tracks, problem } = listing;
  if (problem !== null) {
    const total = album.numberOfItems === null ? {} : { total_tracks: album.numberOfItems };
    logger.error(
      { event: 'album_track_listing_error', error: problem, ...total },
      `album ${album.tidalId} is listed with ${tracks.length} tracks`,
    );
  }
  return await storeAlbum(library, userId, album, listing);
}

/** The unique constraint decides, not the look before, as with a track. */
async function storeAlbum(
  library: Library,
  userId: string,
  album: CatalogAlbum,
  listing: AlbumListing,
): Promise<Addition<LibraryAlbum>> {
  const { database, scheduler } = library;
  const startedAt = performance.now();
  try {
    const item = itemOf(userId, album, listing);
    const tracks = listing.tracks.map(track => requestOfListed(track, album));
    const { item: stored, scheduling } =
      listing.owed === null
        ? await scheduler.scheduleAlbumTracks(
            database.sql,
            { tracks },
            insertItem(database.sql, libraryAlbums, item),
          )
        : await storeOwedAlbum(library, item, tracks, listing.owed);
    scheduler.announce(scheduling, performance.now() - startedAt);
    return { outcome: 'added', item: { id: stored.id, ...item, createdAt: new Date(stored.createdAt) } };
  } catch (error) {
    if (!violatesUnique('library_albums_user_album', error)) throw error;
    const existingItemId = await findExisting(database.sql, 'album', userId, album.tidalId);
    if (existingItemId !== null) return { outcome: 'duplicate', existingItemId };
    // Removed again between the two statements: the way is free.
    return await storeAlbum(library, userId, album, listing);
  }
}

/** Stores an album with what TIDAL still owes of it, in one transaction. */
async function storeOwedAlbum(
  { database, scheduler }: Library,
  item: NewAlbum,
  tracks: TrackIngestionRequest[],
  owed: OwedListing,
) {
  return await database.sql.begin(async transaction => {
    const tracksOwed = countOwed(owed);
    const [stored] = await insertItem(transaction, libraryAlbums, item);
    const part = { batchId: null, owedBefore: 0, owedAfter: tracksOwed };
    const { batchId, scheduling } = await scheduler.scheduleAlbumPart(transaction, { tracks }, part);
    const { id } = stored as StoredItem;
    await notePendingAlbum(transaction, id, { tidalId: item.tidalAlbumId, owed, tracksOwed, batchId });
    crashPoint('before_commit');
    return { item: stored as StoredItem, scheduling };
  });
}

type NewAlbum = NewItem<typeof libraryAlbums>;

function itemOf(userId: string, album: CatalogAlbum, { tracks, owed }: AlbumListing): NewAlbum {
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
    tracksOwed: owed === null ? 0 : countOwed(owed),
  };
}
