import { TidalApiError } from '@segue/tidal/http/error.ts';
import { expect, test } from 'vitest';
import { catalogAlbum, catalogListing, fakeCatalog, newIsrc } from '../test/catalog.ts';
import { newUser, useLibrary } from '../test/library.ts';
import { levels } from '../test/logger.ts';
import { addAlbum } from './addAlbum.ts';

const here = useLibrary();

const outboxOf = (isrcs: (string | null)[]) => here.sql`
  SELECT isrc, title, artist, album, artwork_url, album_batch_id
  FROM ingestion_outbox WHERE isrc = ANY(${isrcs}) ORDER BY id`;
const albumsOf = (user: string) => here.sql`SELECT * FROM library_albums WHERE user_id = ${user}`;

test('an added album is in the library, and each of its recordings in the outbox', async () => {
  const listing = catalogListing({}, {}, { artistName: 'Bill Evans' });
  const album = catalogAlbum({ numberOfItems: 3 });
  const library = here.libraryWith(fakeCatalog({ albums: [{ album, listing }] }));
  const user = newUser();

  const addition = await addAlbum(library, user, album.tidalId);

  const [stored] = await albumsOf(user);
  expect(addition).toEqual({
    outcome: 'added',
    item: {
      id: stored?.id,
      userId: user,
      tidalAlbumId: album.tidalId,
      title: 'Kind of Blue',
      artistName: 'Miles Davis',
      coverArtUrl: album.coverArtUrl,
      releaseDate: '1959-08-17',
      trackCount: 3,
      trackListing: stored?.track_listing,
      tracksOwed: 0,
      createdAt: stored?.created_at,
    },
  });
  expect(stored?.track_listing).toEqual(
    listing.map(({ position, title, duration, tidalId, explicit, isrc }) => ({
      position,
      title,
      duration,
      tidalId,
      explicit,
      isrc,
    })),
  );

  const rows = await outboxOf(listing.map(({ isrc }) => isrc));
  expect(rows).toEqual(
    listing.map(({ isrc, title, artistName }) => ({
      isrc,
      title,
      artist: artistName,
      album: 'Kind of Blue',
      artwork_url: album.coverArtUrl,
      album_batch_id: rows[0]?.album_batch_id,
    })),
  );
  const batches = await here.sql`
    SELECT total_tracks FROM album_ingestion_batches WHERE id = ${rows[0]?.album_batch_id}`;
  expect(batches).toEqual([{ total_tracks: 3 }]);

  expect(library.lines).toEqual(
    listing.map(({ isrc, title }) => ({
      level: levels.info,
      event: 'ingestion_requested',
      isrc,
      trackTitle: title,
      result: 'success',
      duration_ms: expect.any(Number),
      total_tracks: 3,
    })),
  );
  expect(library.hints).toBe(1);
});

test('a track that cannot be requested spoils no other', async () => {
  const listing = catalogListing({ isrc: null }, {}, { title: '' });
  const album = catalogAlbum({ numberOfItems: 3 });
  const library = here.libraryWith(fakeCatalog({ albums: [{ album, listing }] }));
  const user = newUser();

  expect(await addAlbum(library, user, album.tidalId)).toMatchObject({ outcome: 'added' });

  expect(await albumsOf(user)).toMatchObject([{ track_count: 3, track_listing: { length: 3 } }]);
  expect(await outboxOf(listing.map(({ isrc }) => isrc))).toMatchObject([{ isrc: listing[1]?.isrc }]);
  expect(library.lines).toMatchObject([
    { event: 'ingestion_skipped', trackTitle: 'Track 1', reason: 'missing_isrc' },
    { event: 'ingestion_requested', trackTitle: 'Track 2' },
    { event: 'validation_error', trackTitle: '' },
  ]);
});

test('a partly unavailable listing is stored as far as it goes, and the rest is logged', async () => {
  const listing = catalogListing({}, {});
  const album = catalogAlbum({ numberOfItems: 3 });
  const problem = 'TIDAL lists 2 of 3 items for US';
  const library = here.libraryWith(fakeCatalog({ albums: [{ album, listing, problem }] }));
  const user = newUser();

  await addAlbum(library, user, album.tidalId);

  expect(await albumsOf(user)).toMatchObject([{ track_count: 3, track_listing: { length: 2 } }]);
  expect(await outboxOf(listing.map(({ isrc }) => isrc))).toHaveLength(2);
  expect(library.lines[0]).toEqual({
    level: levels.error,
    event: 'album_track_listing_error',
    error: problem,
    total_tracks: 3,
    msg: `album ${album.tidalId} is listed with 2 tracks`,
  });
});

test('an album without any listing is stored alone', async () => {
  const album = catalogAlbum({ numberOfItems: 3 });
  const library = here.libraryWith(fakeCatalog({ albums: [{ album, listing: [], problem: 'page 1: 503' }] }));
  const user = newUser();
  await addAlbum(library, user, album.tidalId);
  expect(await albumsOf(user)).toMatchObject([{ track_count: 3, track_listing: [] }]);
  expect(library.hints).toBe(0);
});

test('more tracks than TIDAL counts are counted', async () => {
  const album = catalogAlbum({ numberOfItems: 1 });
  const library = here.libraryWith(fakeCatalog({ albums: [{ album, listing: catalogListing({}, {}) }] }));
  expect(await addAlbum(library, newUser(), album.tidalId)).toMatchObject({ item: { trackCount: 2 } });
});

test('of 20 requests at the same moment one adds the album, and the others learn its id', async () => {
  const listing = catalogListing({}, {});
  const album = catalogAlbum({ numberOfItems: 2 });
  const catalog = fakeCatalog({ albums: [{ album, listing }] });
  const allAsked = Promise.withResolvers<void>();
  let asking = 0;
  const getAlbum = async (id: string) => {
    asking++;
    if (asking === 20) allAsked.resolve();
    await allAsked.promise;
    return await catalog.getAlbum(id);
  };
  const library = here.libraryWith({ ...catalog, getAlbum });
  const user = newUser();

  const additions = await Promise.all(
    Array.from({ length: 20 }, () => addAlbum(library, user, album.tidalId)),
  );

  const [stored, ...others] = await albumsOf(user);
  expect(others).toEqual([]);
  const duplicates = additions.filter(({ outcome }) => outcome === 'duplicate');
  expect(duplicates).toEqual(Array(19).fill({ outcome: 'duplicate', existingItemId: stored?.id }));
  expect(await outboxOf(listing.map(({ isrc }) => isrc))).toHaveLength(2);
});

test('an album that is there already is found without asking TIDAL', async () => {
  const album = catalogAlbum();
  const catalog = fakeCatalog({ albums: [{ album, listing: [] }] });
  const library = here.libraryWith(catalog);
  const user = newUser();
  await addAlbum(library, user, album.tidalId);
  catalog.asked.length = 0;
  expect(await addAlbum(library, user, album.tidalId)).toMatchObject({ outcome: 'duplicate' });
  expect(catalog.asked).toEqual([]);
});

test('an album that TIDAL does not know is not stored', async () => {
  const user = newUser();
  expect(await addAlbum(here.libraryWith(), user, '404')).toEqual({ outcome: 'not_found' });
  expect(await albumsOf(user)).toEqual([]);
});

test('TIDAL down for the album itself: nothing is stored', async () => {
  const failure = new TidalApiError('album 1: 503', { retryable: true, status: 503 });
  const user = newUser();
  const library = here.libraryWith(fakeCatalog({ failure }));
  expect(await addAlbum(library, user, '1')).toEqual({ outcome: 'tidal_unavailable', retryable: true });
  expect(await albumsOf(user)).toEqual([]);
});

test('R2: one outbox row that cannot be written takes the album and all others with it', async () => {
  const refused = newIsrc();
  await here.sql.unsafe(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused by the test'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON ingestion_outbox
    FOR EACH ROW WHEN (NEW.isrc = '${refused}') EXECUTE FUNCTION refuse()`);
  const listing = catalogListing({}, { isrc: refused }, {});
  const album = catalogAlbum({ numberOfItems: 3 });
  const library = here.libraryWith(fakeCatalog({ albums: [{ album, listing }] }));
  const user = newUser();

  await expect(addAlbum(library, user, album.tidalId)).rejects.toThrow('refused by the test');

  expect(await albumsOf(user)).toEqual([]);
  expect(await outboxOf(listing.map(({ isrc }) => isrc))).toEqual([]);
  expect(library.lines).toEqual([]);
});
