import { expect, test } from 'vitest';
import { readAnswer } from './answers.ts';
import { startTidalServer } from './tidalServer.ts';

test('a single by two artists is read', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/albums/90000100', readAnswer('single'));
  tidal.answer('/albums/90000100/relationships/items', readAnswer('single-items'));
  const client = tidal.client();
  expect(await client.getAlbum('90000100')).toEqual({
    tidalId: '90000100',
    title: 'Two Lanterns',
    artistName: 'First Voice',
    coverArtUrl: expect.stringMatching(/^https:\/\/resources\.tidal\.com\/images\/.*\/1280x1280\.jpg$/),
    releaseDate: '2024-08-16',
    numberOfItems: 1,
  });
  expect(await client.getAlbumListing('90000100', 1)).toEqual({
    tracks: [
      {
        position: 1,
        tidalId: '90000101',
        title: 'Two Lanterns',
        artistName: 'First Voice',
        duration: 252,
        explicit: false,
        isrc: 'XXTID2400001',
      },
    ],
    problem: null,
    owed: null,
  });
});

test('an album of which the country has 8 of 10 tracks, and whose first artist is not included, is read', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/albums/90000200', readAnswer('album-partly-offered'));
  tidal.answer('/albums/90000200/relationships/items', readAnswer('album-partly-offered-items'));
  const client = tidal.client({ countryCode: 'SE' });
  expect(await client.getAlbum('90000200')).toMatchObject({
    artistName: 'Singer of Rivers',
    numberOfItems: 10,
  });
  const { tracks, problem, owed } = await client.getAlbumListing('90000200', 10);
  expect(problem).toBe('listed for SE: 8 of 10 items');
  expect(owed).toBeNull();
  expect(tracks.map(({ position, isrc }) => [position, isrc])).toEqual([
    [1, 'XXTID1800101'],
    [2, 'XXTID1800103'],
    [3, 'XXTID1800104'],
    [4, 'XXTID1800106'],
    [5, 'XXTID1800107'],
    [6, 'XXTID1800108'],
    [7, 'XXTID1800109'],
    [8, 'XXTID1800110'],
  ]);
  expect(tracks[0]).toMatchObject({ title: 'River Song', artistName: 'Kora Player', duration: 298 });
});

test('a track is read', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/token', readAnswer('token'));
  tidal.answer('/tracks/90000301', readAnswer('track'));
  expect(await tidal.client().getTrack('90000301')).toMatchObject({
    title: 'First Light',
    artistName: 'The Examples',
    albumName: 'Twenty-Four',
    duration: 178,
    coverArtUrl: expect.stringMatching(/1280x1280\.jpg$/),
    isrc: 'XXTID1700301',
  });
});

test('an album of two pages is read', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/albums/90000300', readAnswer('album'));
  const path = '/albums/90000300/relationships/items';
  tidal.answer(path, readAnswer('album-items-page1'), readAnswer('album-items-page2'));
  const client = tidal.client();
  const album = await client.getAlbum('90000300');
  const { tracks, problem } = await client.getAlbumListing('90000300', album?.numberOfItems);
  expect(problem).toBeNull();
  expect(tracks.map(({ position }) => position)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
  expect(tidal.requestsOf(path).map(({ query }) => query.get('page[cursor]'))).toEqual([null, '3nI1Esi']);
});

test('ISRCs are read by id', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks', readAnswer('tracks-by-id'), readAnswer('tracks-by-id-none'));
  const client = tidal.client();
  expect(await client.batchFetchTrackIsrcs(['90000301', '90000303', '999999999'])).toEqual({
    isrcs: new Map([
      ['90000303', 'XXTID1700303'],
      ['90000301', 'XXTID1700301'],
    ]),
    failures: new Map(),
  });
  expect(await client.batchFetchTrackIsrcs(['999999999'])).toEqual({ isrcs: new Map(), failures: new Map() });
});

test.each([
  [400, false],
  [401, false],
  [429, true],
  [503, true],
])('a %i is an error, retryable: %s', async (status, retryable) => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks/1', readAnswer(`error-${status}`));
  await expect(tidal.client().getTrack('1')).rejects.toMatchObject({ status, retryable });
});

test('a 404 is null', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks/1', readAnswer('error-404'));
  expect(await tidal.client().getTrack('1')).toBeNull();
});

test('wrong credentials are an error that is not retryable', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/token', readAnswer('token-invalid-client'));
  await expect(tidal.client().getTrack('1')).rejects.toMatchObject({ status: 401, retryable: false });
});
