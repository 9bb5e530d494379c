import { addAlbum, type CatalogTimes } from './addAlbum.ts';
import { addMany } from './addMany.ts';
import { checkTidalId } from './inputError.ts';
import type { Addition, Library, LibraryAlbum } from './library.ts';

/**
 * Adds albums to a user's library, each as `addAlbum` does. TIDAL is asked for each by itself, as it gives
 * listings one album at a time.
 *
 * @param times for all of them together
 * @returns one answer an id, in their order
 */
export async function addAlbums(
  library: Library,
  userId: string,
  tidalAlbumIds: string[],
  times?: CatalogTimes,
): Promise<(Addition<LibraryAlbum> | Error)[]> {
  return await addMany(tidalAlbumIds, async tidalAlbumId => {
    checkTidalId('each of tidalAlbumIds', tidalAlbumId);
    return await addAlbum(library, userId, tidalAlbumId, times);
  });
}
