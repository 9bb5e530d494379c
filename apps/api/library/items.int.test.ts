import { libraryAlbums, libraryTracks } from '@segue/database/schema/tables.ts';
import { beforeAll, describe, expect, test } from 'vitest';
import { newTidalId } from '../test/catalog.ts';
import { newUser, useLibrary } from '../test/library.ts';
import type { LibraryFilter } from './filter.ts';
import { InputError } from './inputError.ts';
import { findItem, listItems, removeItem } from './items.ts';

const here = useLibrary();
const unknownId = '00000000-0000-4000-8000-000000000000';

async function store(userId: string, artistName: string, title: string): Promise<string> {
  const [row] = await here.sql<[{ id: string }]>`
    INSERT INTO library_tracks (user_id, tidal_track_id, title, artist_name, album_name, duration, explicit)
    VALUES (${userId}, ${newTidalId()}, ${title}, ${artistName}, '', 1, false) RETURNING id`;
  return row.id;
}

async function storeAlbum(userId: string, title: string): Promise<string> {
  const [row] = await here.sql<[{ id: string }]>`
    INSERT INTO library_albums (user_id, tidal_album_id, title, artist_name, track_count, track_listing)
    VALUES (${userId}, ${newTidalId()}, ${title}, 'ABBA', 0, '[]') RETURNING id`;
  return row.id;
}

type Page = Parameters<typeof listItems>[1];
const pageOf = (given: Partial<Page>) => ({ size: 200, fromEnd: false, after: null, before: null, ...given });
const tracksOf = (userId: string, filter: LibraryFilter = {}) => ({
  database: here.database,
  table: libraryTracks,
  userId,
  filter,
});
const listed = async (userId: string, page: Partial<Page> = {}) =>
  (await listItems(tracksOf(userId), pageOf(page))).items;

describe('a list', () => {
  const user = newUser();
  const long = 'x'.repeat(10_000);
  /** In the order in which they are to be listed. */
  const inOrder: [artist: string, title: string][] = [
    ['abba', 'Waterloo'],
    ['ABBA', 'Arrival'],
    ['Björk', 'Army of Me'],
    ['Björk', 'Jóga'],
    ['Bob Dylan', 'Hurricane'],
    ['Zappa', `${long} one`],
    ['Zappa', `${long} two`],
  ];
  beforeAll(async () => {
    for (const [artist, title] of inOrder.toReversed()) await store(user, artist, title);
    await store(newUser(), 'Another user', 'Another library');
  });

  const list = (size: number, after: string | null = null) => listed(user, { size, after });

  test('is sorted by artist, then title, as people read them', async () => {
    const tracks = await list(200);
    expect(tracks.slice(0, 5).map(({ artistName, title }) => [artistName, title])).toEqual(
      inOrder.slice(0, 5),
    );
    expect(tracks.slice(5).map(({ artistName }) => artistName)).toEqual(['Zappa', 'Zappa']);
  });

  test('comes in pages that leave nothing out and repeat nothing', async () => {
    const all = await list(200);
    const paged: typeof all = [];
    for (let page = await list(2); page.length > 0; page = await list(2, page.at(-1)?.id))
      paged.push(...page);
    expect(paged).toEqual(all);
    expect(paged).toHaveLength(inOrder.length);
  });

  test('goes on where it was, whatever was removed before', async () => {
    const remover = newUser();
    const [first, second, third] = [
      await store(remover, 'ABBA', 'Arrival'),
      await store(remover, 'ABBA', 'Fernando'),
      await store(remover, 'ABBA', 'Waterloo'),
    ];
    await removeItem(here.database, libraryTracks, remover, first);
    expect(await listed(remover, { size: 1, after: second })).toMatchObject([{ id: third }]);
  });

  test.each([unknownId, 'nonsense', ''])('refuses to go on behind %j', async after => {
    await expect(list(1, after)).rejects.toThrow(InputError);
  });

  test("refuses to go on behind another user's item", async () => {
    const foreign = await store(newUser(), 'Zappa', 'Joe’s Garage');
    await expect(list(1, foreign)).rejects.toThrow(InputError);
  });

  test('of albums is sorted and paged alike', async () => {
    const ids = [await storeAlbum(user, 'Arrival'), await storeAlbum(user, 'Waterloo')];
    const albums = { ...tracksOf(user), table: libraryAlbums };
    const { items } = await listItems(albums, pageOf({ size: 1, after: ids[0] ?? null }));
    expect(items).toMatchObject([{ id: ids[1], trackCount: 0, createdAt: expect.any(Date) }]);
    // A listing is read where it is asked for alone.
    expect(items[0]).not.toHaveProperty('trackListing');
  });

  test('is read from its index, at any page', async () => {
    const [track] = await list(1);
    const plan = await here.sql.begin(async transaction => {
      await transaction`SET LOCAL enable_seqscan = off`;
      return await transaction`
        EXPLAIN SELECT * FROM library_tracks WHERE user_id = ${user}
          AND (left(artist_name, 200), left(title, 200), id) > (left('Björk', 200), left('Jóga', 200), ${track?.id ?? ''})
        ORDER BY left(artist_name, 200), left(title, 200), id LIMIT 50`;
    });
    const text = plan.map(line => line['QUERY PLAN']).join('\n');
    expect(text).toMatch(/Index Scan using library_tracks_listing/);
    expect(text).toMatch(/Index Cond: .*ROW\("left"/);
    expect(text).not.toMatch(/Sort/);
  });
});

describe('one item', () => {
  test('is found by its id, by its owner', async () => {
    const user = newUser();
    const id = await store(user, 'ABBA', 'Waterloo');
    expect(await findItem(here.database, libraryTracks, user, id)).toMatchObject({ id, title: 'Waterloo' });
    expect(await findItem(here.database, libraryTracks, newUser(), id)).toBeNull();
    expect(await findItem(here.database, libraryAlbums, user, id)).toBeNull();
  });

  test.each([unknownId, 'nonsense', ''])('is null for the id %j', async id => {
    expect(await findItem(here.database, libraryTracks, newUser(), id)).toBeNull();
  });

  test('is removed once, by its owner', async () => {
    const user = newUser();
    const id = await store(user, 'ABBA', 'Waterloo');
    expect(await removeItem(here.database, libraryTracks, newUser(), id)).toBe(false);
    expect(await removeItem(here.database, libraryTracks, user, id)).toBe(true);
    expect(await removeItem(here.database, libraryTracks, user, id)).toBe(false);
    expect(await findItem(here.database, libraryTracks, user, id)).toBeNull();
  });

  test.each([unknownId, 'nonsense', ''])('is not removed for the id %j', async id => {
    expect(await removeItem(here.database, libraryTracks, newUser(), id)).toBe(false);
  });
});
