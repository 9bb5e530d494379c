import type { MercuriusContext } from 'mercurius';
import type { RequestedRecording } from '../../ingestion/status.ts';
import { cursorOf } from '../../library/cursor.ts';
import type { LibraryAlbum, LibraryTrack } from '../../library/library.ts';

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
    listing: ({ tracksOwed }: LibraryAlbum) => (tracksOwed ? 'COMPLETING' : 'COMPLETE'),
    tracksOwed: ({ tracksOwed }: LibraryAlbum) => tracksOwed ?? 0,
    // A listed track was requested when its album was added.
    trackListing: ({ trackListing, createdAt }: LibraryAlbum) =>
      trackListing.map(track => ({ ...track, createdAt })),
    cursor: cursorOf,
    ingestion: ({ id }: LibraryAlbum, _: unknown, { albumIngestionOf }: MercuriusContext) =>
      albumIngestionOf(id),
  },
  TrackInfo: { ingestion, isIndexed },
};

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
