import { expect, test } from 'vitest';
import { album, artist, artwork, document } from '../test/documents.ts';
import { startTidalServer } from '../test/tidalServer.ts';

test('an album comes with its artist and its cover', async () => {
  await using tidal = await startTidalServer();
  const included = [artist('a1', 'Abba'), artwork('c1', [640])];
  tidal.answer('/albums/9', { body: document(album('9', { version: 'Deluxe' }), included) });
  expect(await tidal.client().getAlbum('9')).toEqual({
    tidalId: '9',
    title: 'Album 9 (Deluxe)',
    artistName: 'Abba',
    coverArtUrl: 'https://pictures/c1/640.jpg',
    releaseDate: '2017-06-30',
    numberOfItems: 2,
  });
  expect(tidal.requests.at(-1)?.query.get('include')).toBe('artists,coverArt');
});

test('an album without artist, cover and date is read all the same', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/albums/9', { body: { data: { id: '9', attributes: { title: 'Nine', numberOfItems: 0 } } } });
  expect(await tidal.client().getAlbum('9')).toEqual({
    tidalId: '9',
    title: 'Nine',
    artistName: 'Unknown Artist',
    coverArtUrl: null,
    releaseDate: null,
    numberOfItems: 0,
  });
});

test('an album that TIDAL does not know is null', async () => {
  await using tidal = await startTidalServer();
  expect(await tidal.client().getAlbum('404')).toBeNull();
});

test.each([
  [undefined, null],
  [null, null],
  ['17', 17],
  ['many', null],
  [-1, null],
  [2.5, null],
  [3_000_000_000, null],
])('numberOfItems %j is read as %j', async (given, read) => {
  await using tidal = await startTidalServer();
  tidal.answer('/albums/9', { body: document(album('9', { numberOfItems: given })) });
  expect(await tidal.client().getAlbum('9')).toMatchObject({ tidalId: '9', numberOfItems: read });
});

test('an id that is a number is read as text', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/albums/9', { body: document({ ...album('9'), id: 9 }) });
  expect(await tidal.client().getAlbum('9')).toMatchObject({ tidalId: '9' });
});
