import { libraryAlbums, libraryTracks } from '@segue/database/schema.ts';
import type { MercuriusContext } from 'mercurius';
import { within } from '../http/deadline.ts';
import type { Limits } from '../http/limits.ts';
import type { OutageGuard } from '../http/outageGuard.ts';
import type { RequestedRecording } from '../ingestion/status.ts';
import { addAlbum } from '../library/addAlbum.ts';
import { addAlbums } from '../library/addAlbums.ts';
import { addTrack } from '../library/addTrack.ts';
import { addTracks } from '../library/addTracks.ts';
import { checkBulk, checkTidalId } from '../library/inputError.ts';
import { findItem, listItems, removeItem } from '../library/items.ts';
import type { Library, LibraryAlbum } from '../library/library.ts';
import { readPage } from '../library/page.ts';
import { additionResult, additionResults } from './additionResult.ts';

type PageArguments = { first?: number | null; after?: string | null };
type IdArgument = { id: string };
type Input<Fields> = { input: Fields };
/** Looks at the arguments, which needs nobody, before there is any work. */
type Prepare<Arguments> = (given: Arguments, context: MercuriusContext) => () => Promise<unknown>;

/** The fields of the schema that are more than a property of what was read. */
export function createResolvers(library: Library, guard: OutageGuard, limits: Limits) {
  const { database } = library;

  /** What asks the outside, no longer than a request may take, and not while the database is known to be away. */
  function root<Arguments>(prepare: Prepare<Arguments>) {
    return async (_: unknown, given: Arguments, context: MercuriusContext) => {
      const work = prepare(given, context);
      return await guard.run(() => within(context.time, work()));
    };
  }

  return {
    Query: {
      getLibraryTracks: root((given: PageArguments, { userId }) => {
        const page = readPage(given, limits.pageSize);
        return () => listItems(database, libraryTracks, userId, page);
      }),
      getLibraryAlbums: root((given: PageArguments, { userId }) => {
        const page = readPage(given, limits.pageSize);
        return () => listItems(database, libraryAlbums, userId, page);
      }),
      getLibraryTrack: root(({ id }: IdArgument, { userId }) => () => {
        return findItem(database, libraryTracks, userId, id);
      }),
      getLibraryAlbum: root(({ id }: IdArgument, { userId }) => () => {
        return findItem(database, libraryAlbums, userId, id);
      }),
    },

    Mutation: {
      addTrackToLibrary: root(({ input }: Input<{ tidalTrackId: string }>, { userId, time }) => {
        const { tidalTrackId } = input;
        checkTidalId('tidalTrackId', tidalTrackId);
        return async () => {
          const addition = await addTrack(library, userId, tidalTrackId, time.catalogEndsAt);
          return additionResult('LibraryTrack', tidalTrackId, addition);
        };
      }),
      addAlbumToLibrary: root(({ input }: Input<{ tidalAlbumId: string }>, { userId, time }) => {
        const { tidalAlbumId } = input;
        checkTidalId('tidalAlbumId', tidalAlbumId);
        return async () => {
          const addition = await addAlbum(library, userId, tidalAlbumId, time.catalogEndsAt);
          return additionResult('LibraryAlbum', tidalAlbumId, addition);
        };
      }),
      addTracksToLibrary: root(({ input }: Input<{ tidalTrackIds: string[] }>, { userId, time }) => {
        const { tidalTrackIds } = input;
        checkBulk('tidalTrackIds', tidalTrackIds, limits.bulkSize);
        return async () => {
          const additions = await addTracks(library, userId, tidalTrackIds, time.catalogEndsAt);
          return additionResults('LibraryTrack', tidalTrackIds, additions);
        };
      }),
      addAlbumsToLibrary: root(({ input }: Input<{ tidalAlbumIds: string[] }>, { userId, time }) => {
        const { tidalAlbumIds } = input;
        checkBulk('tidalAlbumIds', tidalAlbumIds, limits.bulkSize);
        return async () => {
          const additions = await addAlbums(library, userId, tidalAlbumIds, time.catalogEndsAt);
          return additionResults('LibraryAlbum', tidalAlbumIds, additions);
        };
      }),
      removeTrackFromLibrary: root(({ id }: IdArgument, { userId }) => () => {
        return removeItem(database, libraryTracks, userId, id);
      }),
      removeAlbumFromLibrary: root(({ id }: IdArgument, { userId }) => () => {
        return removeItem(database, libraryAlbums, userId, id);
      }),
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
