import { libraryAlbums, libraryTracks } from '@segue/database/schema.ts';
import type { MercuriusContext } from 'mercurius';
import type { RequestedRecording } from '../ingestion/status.ts';
import { addAlbum } from '../library/addAlbum.ts';
import { addTrack } from '../library/addTrack.ts';
import { checkTidalId } from '../library/inputError.ts';
import { findItem, listItems, removeItem } from '../library/items.ts';
import type { Library, LibraryAlbum } from '../library/library.ts';
import { readPage } from '../library/page.ts';
import { additionResult } from './additionResult.ts';

type PageArguments = { first?: number | null; after?: string | null };
type IdArgument = { id: string };

/** The fields of the schema that are more than a property of what was read. */
export function createResolvers(library: Library) {
  const { database } = library;
  return {
    Query: {
      getLibraryTracks: (_: unknown, page: PageArguments, { userId }: MercuriusContext) =>
        listItems(database, libraryTracks, userId, readPage(page)),
      getLibraryAlbums: (_: unknown, page: PageArguments, { userId }: MercuriusContext) =>
        listItems(database, libraryAlbums, userId, readPage(page)),
      getLibraryTrack: (_: unknown, { id }: IdArgument, { userId }: MercuriusContext) =>
        findItem(database, libraryTracks, userId, id),
      getLibraryAlbum: (_: unknown, { id }: IdArgument, { userId }: MercuriusContext) =>
        findItem(database, libraryAlbums, userId, id),
    },

    Mutation: {
      async addTrackToLibrary(
        _: unknown,
        { input: { tidalTrackId } }: { input: { tidalTrackId: string } },
        { userId }: MercuriusContext,
      ) {
        checkTidalId('tidalTrackId', tidalTrackId);
        const addition = await addTrack(library, userId, tidalTrackId);
        return additionResult('LibraryTrack', tidalTrackId, addition);
      },
      async addAlbumToLibrary(
        _: unknown,
        { input: { tidalAlbumId } }: { input: { tidalAlbumId: string } },
        { userId }: MercuriusContext,
      ) {
        checkTidalId('tidalAlbumId', tidalAlbumId);
        const addition = await addAlbum(library, userId, tidalAlbumId);
        return additionResult('LibraryAlbum', tidalAlbumId, addition);
      },
      removeTrackFromLibrary: (_: unknown, { id }: IdArgument, { userId }: MercuriusContext) =>
        removeItem(database, libraryTracks, userId, id),
      removeAlbumFromLibrary: (_: unknown, { id }: IdArgument, { userId }: MercuriusContext) =>
        removeItem(database, libraryAlbums, userId, id),
    },

    LibraryTrack: { ingestion },
    LibraryAlbum: {
      // A listed track was requested when its album was added.
      trackListing: ({ trackListing, createdAt }: LibraryAlbum) =>
        trackListing.map(track => ({ ...track, createdAt })),
    },
    TrackInfo: { ingestion },

    DateTime: { serialize: (moment: unknown) => (moment as Date).toISOString() },
  };
}

function ingestion(recording: RequestedRecording, _: unknown, { statusOf }: MercuriusContext) {
  return statusOf(recording);
}
