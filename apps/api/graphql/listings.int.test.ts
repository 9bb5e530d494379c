import { drizzle } from 'drizzle-orm/postgres-js';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from '../test/ask.ts';
import { catalogAlbum, catalogListing, fakeCatalog, newIsrc } from '../test/catalog.ts';
import { itemsIn } from '../test/items.ts';
import { useLibrary } from '../test/library.ts';
import { serverOf } from '../test/server.ts';

const here = useLibrary();
const { libraryWith } = here;
const store = itemsIn(here);
const albums = 200;
const tracks = 75;
const isrcs = () => Array.from({ length: tracks }, newIsrc);
const boxSets = ['11', '12', '13'].map(tidalId => ({
  album: catalogAlbum({ tidalId }),
  listing: catalogListing(...isrcs().map(isrc => ({ isrc }))),
}));

let server: FastifyInstance;
/** The titles of two albums may be asked for. */
let strict: FastifyInstance;
const statements: string[] = [];
beforeAll(async () => {
  const logger = { logQuery: (query: string) => statements.push(query) };
  const database = { ...here.database, drizzle: drizzle(here.database.sql, { logger }) };
  for (let n = 0; n < albums; n++) await store.album('local', { title: `Album ${n}`, isrcs: isrcs() });
  const stocked = libraryWith(fakeCatalog({ albums: boxSets }));
  const library = { ...stocked, database };
  server = await serverOf(library);
  strict = await serverOf(library, { limits: { listingComplexity: 2 * tracks * 2 } });
}, 60_000);
afterAll(async () => {
  await server.close();
  await strict.close();
});

const asked = async (query: string) => {
  statements.length = 0;
  return await ask(server, query);
};
const readsListings = () => statements.filter(text => /select "id", "track_listing"/.test(text));
const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => text(i)).join(' ');
const everything = `position title duration tidalId explicit isrc isIndexed
  ingestion { status requestedAt scheduledAt reason }`;
const tooCostly = {
  status: 400,
  data: null,
  errors: [
    { message: expect.stringContaining(`and may be 350000`), extensions: { code: 'QUERY_TOO_COSTLY' } },
  ],
};

describe('an answer with more of the albums’ listings than may be is refused, and none of them is read', () => {
  test.each([
    [
      'under five aliases',
      `{ ${times(5, n => `a${n}: getLibraryAlbums(first: 200) { trackListing { ingestion { status } } }`)} }`,
    ],
    [
      'by isIndexed',
      `{ ${times(5, n => `a${n}: getLibraryAlbums(first: 200) { trackListing { isIndexed } }`)} }`,
    ],
    [
      'in connections',
      `{ a: libraryAlbums(first: 200) { nodes { ...A } edges { node { ...A } } } b: libraryAlbums(last: 200) { nodes { ...A } } }
       fragment A on LibraryAlbum { trackListing { title ingestion { status } } b: trackListing { isIndexed } }`,
    ],
  ])('%s', async (_, query) => {
    expect(await asked(query)).toMatchObject(tooCostly);
    expect(readsListings()).toEqual([]);
  });

  test('of albums that are asked for one by one', async () => {
    const { data } = await ask(strict, '{ getLibraryAlbums(first: 3) { id } }');
    const query = (count: number) =>
      `{ ${times(count, n => `a${n}: getLibraryAlbum(id: "${data.getLibraryAlbums[n].id}") { trackListing { title } }`)} }`;
    statements.length = 0;
    expect(await ask(strict, query(3))).toMatchObject({
      status: 400,
      data: null,
      errors: [
        { message: expect.stringContaining('their 225 tracks'), extensions: { code: 'QUERY_TOO_COSTLY' } },
      ],
    });
    expect(readsListings()).toEqual([]);
    expect((await ask(strict, query(2))).errors).toBeUndefined();
  });
});

test('a full page of albums of 75 tracks is answered with all of their fields, in parts', async () => {
  const { data, errors } = await asked(`{ getLibraryAlbums(first: 200) { trackListing { ${everything} } } }`);
  expect(errors).toBeUndefined();
  expect(data.getLibraryAlbums).toHaveLength(albums);
  for (const { trackListing } of data.getLibraryAlbums) {
    expect(trackListing).toHaveLength(tracks);
    expect(trackListing[0]).toMatchObject({
      position: 1,
      isIndexed: false,
      ingestion: { status: 'PENDING' },
    });
  }
  expect(readsListings().length).toBeGreaterThan(10);
});

test('one album under several aliases is read once', async () => {
  const listings = times(4, n => `a${n}: getLibraryAlbums(first: 1) { trackListing { position } }`);
  const { data } = await asked(`{ ${listings} }`);
  for (const alias of ['a0', 'a1', 'a2', 'a3']) expect(data[alias][0].trackListing).toHaveLength(tracks);
  expect(readsListings()).toHaveLength(1);
});

test('a listing that nobody asks for is not read', async () => {
  const { errors } = await asked(
    '{ getLibraryAlbums(first: 200) { id listing } libraryAlbums { nodes { id } pageInfo { endCursor } } }',
  );
  expect(errors).toBeUndefined();
  expect(statements.join()).not.toContain('track_listing');
});

test('additions are made whose listings are more than an answer holds, and the answer says so', async () => {
  const answer = await ask(
    strict,
    `mutation { addAlbumsToLibrary(input: {tidalAlbumIds: [11, 12, 13]}) {
      ... on LibraryAlbum { title trackListing { position } } } }`,
  );
  expect(answer).toMatchObject({
    status: 200,
    data: { addAlbumsToLibrary: [null, null, null] },
    errors: Array(3).fill({
      message: expect.stringContaining('The albums are in the library'),
      extensions: { code: 'QUERY_TOO_COSTLY' },
    }),
  });
  const [{ count } = {}] = await here.sql`
    SELECT count(*)::int FROM library_albums WHERE tidal_album_id IN ('11', '12', '13')`;
  expect(count).toBe(3);
});
