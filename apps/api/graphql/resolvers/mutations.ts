import { libraryAlbums, libraryTracks } from '@segue/database/schema.ts';
import type { Limits } from '../../http/limits.ts';
import { addAlbum } from '../../library/addAlbum.ts';
import { addAlbums } from '../../library/addAlbums.ts';
import { addTrack } from '../../library/addTrack.ts';
import { addTracks } from '../../library/addTracks.ts';
import { checkBulk, checkTidalId } from '../../library/inputError.ts';
import { type LibraryTable, removeItem } from '../../library/items.ts';
import type { Library } from '../../library/library.ts';
import { additionResult, additionResults } from './additionResult.ts';
import { root } from './root.ts';

type IdArgument = { id: string };
type Input<Fields> = { input: Fields };

export function mutations(library: Library, limits: Limits) {
  const removal = (table: LibraryTable) =>
    root(
      ({ id }: IdArgument, { userId }) =>
        () =>
          removeItem(library.database, table, userId, id),
    );

  return {
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
    removeTrackFromLibrary: removal(libraryTracks),
    removeAlbumFromLibrary: removal(libraryAlbums),
  };
}
