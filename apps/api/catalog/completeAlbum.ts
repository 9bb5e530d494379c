import type { Queryable } from '@segue/database/connection.ts';
import type { ListedTrack } from '@segue/database/schema/tables.ts';
import { crashPoint } from '@segue/process/crashPoint.ts';
import { countOwed, isOwed } from '@segue/tidal/albums/listingOrder.ts';
import { namedWithoutData } from '@segue/tidal/albums/listingProblem.ts';
import type { ListingPart, OwedListing } from '@segue/tidal/catalog.ts';
import { requestOfListed } from '../ingestion/requestOf.ts';
import type { Library } from '../library/library.ts';
import { mergeListing } from './mergeListing.ts';
import { deletePending, lockPending, type PendingAlbum, type PendingItem, writeProgress } from './pending.ts';

/** What became of one question for an album. */
export type AlbumStep =
  /** TIDAL owes more. */
  | { outcome: 'owed'; owed: OwedListing }
  | { outcome: 'complete'; totalTracks: number }
  /** The album was removed, or another process has taken it over. */
  | { outcome: 'gone' };

/**
 * Asks TIDAL one more question for an album, and writes what it answers: the listing, the requests of late recordings and
 * what is still owed change in one transaction, so that each recording is requested once. A part that is missing for good
 * is logged.
 *
 * @param deadline on `performance.now()`
 * @throws TidalApiError when TIDAL cannot be asked; what the database says
 */
export async function askMoreOfAlbum(
  library: Library,
  item: PendingAlbum,
  deadline: number,
): Promise<AlbumStep> {
  const { catalog, database, scheduler, logger } = library;
  const part = await catalog.continueAlbumListing(item.tidalId, item.owed, { deadline, background: true });
  const startedAt = performance.now();
  const written = await database.sql.begin(transaction => writePart(library, transaction, item, part));
  if (written === null) return { outcome: 'gone' };
  scheduler.announce(written.scheduling, performance.now() - startedAt);
  if (written.problem !== null) {
    const { expectedItems } = written.owed;
    const total = expectedItems === null ? {} : { total_tracks: expectedItems };
    logger.error(
      { event: 'album_track_listing_error', tidalId: item.tidalId, error: written.problem, ...total },
      `album ${item.tidalId} stays without a part of its listing`,
    );
  }
  return isOwed(written.owed)
    ? { outcome: 'owed', owed: written.owed }
    : { outcome: 'complete', totalTracks: written.totalTracks };
}

type StoredAlbum = {
  title: string;
  artistName: string;
  coverArtUrl: string | null;
  trackListing: ListedTrack[];
};

/** @returns null when the album is gone, or no longer this process's */
async function writePart(
  { scheduler }: Library,
  transaction: Queryable,
  item: PendingItem,
  part: ListingPart,
) {
  // The album first, as a removal locks it first: the two cannot wait for one another.
  const album = await lockAlbum(transaction, item.itemId);
  const pending = album === null ? null : await lockPending(transaction, item);
  if (album === null || pending === null) return null;

  const { listing, late, owed } = mergeListing(album.trackListing, part, album.artistName);
  const tracksOwed = countOwed(owed);
  const tracks = late.map(track => requestOfListed(track, album));
  const counts = { batchId: pending.batchId, owedBefore: pending.tracksOwed, owedAfter: tracksOwed };
  const { batchId, scheduling } = await scheduler.scheduleAlbumPart(transaction, { tracks }, counts);
  await transaction`
    UPDATE library_albums
    SET track_listing = ${JSON.stringify(listing)}, tracks_owed = ${tracksOwed},
      track_count = greatest(track_count, ${listing.length}::int)
    WHERE id = ${item.itemId}`;
  if (isOwed(owed)) await writeProgress(transaction, item.itemId, { owed, tracksOwed, batchId });
  else await deletePending(transaction, item.itemId);
  crashPoint('before_commit');
  return { owed, scheduling, totalTracks: listing.length, problem: problemOf(part, listing) };
}

/** What is missing for good; null when nothing is. A track that was listed before lacks nothing but its ISRC. */
function problemOf({ problem, unreadable }: ListingPart, listing: ListedTrack[]): string | null {
  const listed = new Set(listing.map(({ tidalId }) => tidalId));
  const unlisted = unreadable.filter(id => !listed.has(id));
  return unlisted.length > 0 ? namedWithoutData(unlisted) : problem;
}

async function lockAlbum(transaction: Queryable, id: string): Promise<StoredAlbum | null> {
  const [row] = await transaction<(Omit<StoredAlbum, 'trackListing'> & { trackListing: string })[]>`
    SELECT title, artist_name AS "artistName", cover_art_url AS "coverArtUrl",
      track_listing::text AS "trackListing"
    FROM library_albums WHERE id = ${id} FOR UPDATE`;
  return row === undefined ? null : { ...row, trackListing: JSON.parse(row.trackListing) };
}
