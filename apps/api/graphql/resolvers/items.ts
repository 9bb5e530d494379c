import type { GraphQLResolveInfo } from 'graphql';
import type { MercuriusContext } from 'mercurius';
import type { RequestedRecording } from '../../ingestion/status.ts';
import { cursorOf } from '../../library/cursor.ts';
import type { LibraryAlbum, LibraryTrack } from '../../library/library.ts';
import { costOfMember } from '../queryCost.ts';

/** The fields of the library's items that are more than a column. */
export const items = {
  LibraryTrack: {
    cursor: cursorOf,
    metadata: ({ isrc }: LibraryTrack) => ({ isrc }),
    isrcOwed: ({ isrcOwed }: LibraryTrack) => isrcOwed ?? false,
    ingestion,
    isIndexed,
  },
  LibraryAlbum: {
    listing: ({ tracksOwed }: ListedAlbum) => (tracksOwed ? 'COMPLETING' : 'COMPLETE'),
    tracksOwed: ({ tracksOwed }: ListedAlbum) => tracksOwed ?? 0,
    trackListing,
    cursor: cursorOf,
    ingestion: ({ id }: ListedAlbum, _: unknown, { albumIngestionOf }: MercuriusContext) =>
      albumIngestionOf(id),
  },
  TrackInfo: { ingestion, isIndexed },
};

/** An album as a list has it, or with its listing at hand, as an addition has it. */
type ListedAlbum = Omit<LibraryAlbum, 'trackListing'> & Partial<Pick<LibraryAlbum, 'trackListing'>>;

async function trackListing(
  { id, createdAt, trackListing: known }: ListedAlbum,
  _: unknown,
  { listings }: MercuriusContext,
  info: GraphQLResolveInfo,
) {
  const listing = await listings.of(id, costOfMember(info), known);
  // A listed track was requested when its album was added.
  return listing.map(track => ({ ...track, createdAt }));
}

function ingestion(recording: RequestedRecording, _: unknown, { statusOf }: MercuriusContext) {
  return statusOf(recording);
}

/** Not null, and yet no reason to answer an addition with nothing (rule R10): what cannot be told is not indexed. */
async function isIndexed(
  recording: RequestedRecording,
  _: unknown,
  { statusOf, noteUnknownStatus }: MercuriusContext,
) {
  try {
    return (await statusOf(recording)).status === 'INDEXED';
  } catch (error) {
    noteUnknownStatus(error);
    return false;
  }
}
