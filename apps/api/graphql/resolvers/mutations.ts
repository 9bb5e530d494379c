import { libraryAlbums, libraryTracks } from '@segue/database/schema/tables.ts';
import { budgetEndsAt } from '../../http/deadline.ts';
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
        const addition = await addTrack(library, userId, tidalTrackId, budgetEndsAt(time));
        return additionResult('LibraryTrack', tidalTrackId, addition);
      };
    }),
    addAlbumToLibrary: root(({ input }: Input<{ tidalAlbumId: string }>, { userId, time }) => {
      const { tidalAlbumId } = input;
      checkTidalId('tidalAlbumId', tidalAlbumId);
      return async () => {
        const endsAt = budgetEndsAt(time);
        const times = { itemEndsAt: endsAt, listingEndsAt: endsAt };
        const addition = await addAlbum(library, userId, tidalAlbumId, times);
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
        const times = { itemEndsAt: time.catalogEndsAt, listingEndsAt: budgetEndsAt(time) };
        const additions = await addAlbums(library, userId, tidalAlbumIds, times);
        return additionResults('LibraryAlbum', tidalAlbumIds, additions);
      };
    }),
    removeTrackFromLibrary: removal(libraryTracks),
    removeAlbumFromLibrary: removal(libraryAlbums),
  };
}
