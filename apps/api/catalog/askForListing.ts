import { reasonOf } from '@segue/process/reason.ts';
import { within } from '@segue/process/timeLimit.ts';
import { unreadListing } from '@segue/tidal/albums/listingReader.ts';
import type { AlbumListing, CatalogAlbum } from '@segue/tidal/catalog.ts';
import { TidalApiError } from '@segue/tidal/http/error.ts';
import type { Catalog } from '../library/library.ts';

/** A call of the catalogue ends at its deadline by itself, and hands over what it has. */
const graceMs = 500;

/**
 * Asks for the tracks of an album. What does not come in time, or fails, is owed: the whole listing, if need be.
 *
 * @param endsAt on `performance.now()`
 */
export async function askForListing(
  catalog: Pick<Catalog, 'getAlbumListing'>,
  { tidalId, numberOfItems }: CatalogAlbum,
  endsAt: number,
): Promise<AlbumListing> {
  try {
    const asked = catalog.getAlbumListing(tidalId, numberOfItems, { deadline: endsAt });
    return await within(endsAt + graceMs - performance.now(), asked, noTimeLeft);
  } catch (error) {
    if (!(error instanceof TidalApiError)) throw error;
    return { tracks: [], problem: reasonOf(error), owed: unreadListing(numberOfItems) };
  }
}

function noTimeLeft(): TidalApiError {
  const message = 'the time for the listing was up before TIDAL had answered';
  return new TidalApiError(message, { retryable: true, status: null });
}
