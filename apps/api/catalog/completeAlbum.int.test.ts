import { unreadListing } from '@segue/tidal/albums/listingReader.ts';
import type { ListingPart } from '@segue/tidal/catalog.ts';
import { beforeEach, expect, test } from 'vitest';
import { addAlbum } from '../library/addAlbum.ts';
import { catalogAlbum, catalogListing, fakeCatalog } from '../test/catalog.ts';
import { newUser, useLibrary } from '../test/library.ts';
import { askMoreOfAlbum } from './completeAlbum.ts';
import { claimPending } from './pending.ts';

const here = useLibrary();
beforeEach(() => here.sql`TRUNCATE library_albums, catalog_pending`);

/** Completes an album of two tracks, of which the first is listed, with one answer of TIDAL's. */
async function completeWith(partOf: (listedId: string) => Partial<ListingPart>) {
  const album = catalogAlbum({ numberOfItems: 2 });
  const listing = catalogListing({ isrc: null });
  const owed = { ...unreadListing(2), nextPage: null };
  const listedId = listing[0]?.tidalId ?? '';
  const catalog = fakeCatalog({
    albums: [{ album, listing, problem: 'the rest is late', owed: { ...owed, trackIds: [listedId, '2'] } }],
  });
  const library = here.libraryWith(catalog);
  await addAlbum(library, newUser(), album.tidalId);
  library.lines.length = 0;

  const part = { tracks: [], isrcs: new Map(), unreadable: [], owed, problem: null, ...partOf(listedId) };
  const { albums } = await claimPending(here.database.sql, { albums: 1, tracks: 0 }, 60_000);
  const [pending] = albums;
  if (pending === undefined) throw new Error('an album is owed');
  const completing = { ...library, catalog: { ...catalog, continueAlbumListing: async () => part } };
  const step = await askMoreOfAlbum(completing, pending, performance.now() + 5_000);
  expect(step).toEqual({ outcome: 'complete', totalTracks: 1 });
  const lines = library.lines.filter(({ event }) => event === 'album_track_listing_error');
  return { tidalId: album.tidalId, lines };
}

test('an album whose listing does not end when it is completed is said to lack a part', async () => {
  const problem = 'the listing does not end: given up after page 2';
  const { tidalId, lines } = await completeWith(() => ({ problem }));
  expect(lines).toEqual([expect.objectContaining({ tidalId, error: problem, total_tracks: 2 })]);
});

test('a track of which nothing can be read when its album is completed is named in the log', async () => {
  const { tidalId, lines } = await completeWith(() => ({ unreadable: ['2'] }));
  const error = 'tracks named without their data: 2';
  expect(lines).toEqual([expect.objectContaining({ tidalId, error })]);
});

test('a track that is listed and gets no ISRC is no missing part', async () => {
  const { lines } = await completeWith(listedId => ({ unreadable: [listedId] }));
  expect(lines).toEqual([]);
});
