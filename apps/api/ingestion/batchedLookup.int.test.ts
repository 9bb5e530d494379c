import { drizzle } from 'drizzle-orm/postgres-js';
import { expect, test } from 'vitest';
import { addAlbums } from '../library/addAlbums.ts';
import { addTracks } from '../library/addTracks.ts';
import { ask } from '../test/ask.ts';
import { catalogAlbum, catalogListing, catalogTrack, fakeCatalog } from '../test/catalog.ts';
import { useLibrary } from '../test/library.ts';
import { serverOf } from '../test/server.ts';

const here = useLibrary();

test('what became of 60 tracks and 300 album tracks is one lookup a list, whatever their length', async () => {
  const tracks = Array.from({ length: 60 }, () => catalogTrack());
  const albums = Array.from({ length: 20 }, () => ({
    album: catalogAlbum(),
    listing: catalogListing(...Array(15).fill({})),
  }));
  const library = here.libraryWith(fakeCatalog({ tracks, albums }));
  await addTracks(
    library,
    'local',
    tracks.map(({ tidalId }) => tidalId),
  );
  await addAlbums(
    library,
    'local',
    albums.map(({ album }) => album.tidalId),
  );

  const queries: string[] = [];
  const logger = { logQuery: (query: string) => queries.push(query) };
  const database = { ...here.database, drizzle: drizzle(here.database.sql, { logger }) };
  const server = await serverOf({ ...library, database });
  const lookups = () => queries.splice(0).filter(query => query.includes('ingestion_ledger')).length;
  // A query that was seen before comes from a cache.
  for (let time = 1; time <= 3; time++) {
    const all = await ask(server, '{ getLibraryTracks(first: 200) { ingestion { status } } }');
    expect(all.data.getLibraryTracks).toHaveLength(60);
    expect(lookups()).toBe(1);
    const listings = await ask(
      server,
      '{ getLibraryAlbums(first: 200) { trackListing { ingestion { status reason } } } }',
    );
    expect(listings.data.getLibraryAlbums.flatMap(({ trackListing }: never) => trackListing)).toHaveLength(
      300,
    );
    expect(lookups()).toBe(1);
    await ask(
      server,
      `{ getLibraryTracks(first: 200) { ingestion { status } }
         getLibraryAlbums(first: 20) { trackListing { ingestion { status } } } }`,
    );
    expect(lookups()).toBeLessThanOrEqual(2);
  }
  await server.close();
});
