import { describe, expect, test } from 'vitest';
import { readSharedAnswer, sharedAnswersMissing } from './sharedAnswers.ts';
import { type Reply, startTidalServer } from './tidalServer.ts';

/** A constructed file holds a whole exchange. */
const constructed = (name: string): Reply => readSharedAnswer(`constructed/${name}.json`).response;

/** A recorded file is the body of `/albums?filter[id]=…&include=…,items.artists`: an album and its listing in one. */
function recorded(name: string): { album: Reply; items: Reply } {
  const { data, included, links } = readSharedAnswer(`recorded/${name}.json`);
  const [album] = data;
  return {
    album: { body: { data: album, included, links } },
    items: { body: { data: album.relationships.items.data, included, links } },
  };
}

const suite = sharedAnswersMissing === null ? "TIDAL's answers" : `skipped: ${sharedAnswersMissing}`;

describe.skipIf(sharedAnswersMissing !== null)(suite, () => {
  describe('recorded', () => {
    test('a single with two artists', async () => {
      await using tidal = await startTidalServer();
      const { album, items } = recorded('albums-381265361-US');
      tidal.answer('/albums/381265361', album);
      tidal.answer('/albums/381265361/relationships/items', items);
      const client = tidal.client();
      expect(await client.getAlbum('381265361')).toEqual({
        tidalId: '381265361',
        title: 'Die With A Smile',
        artistName: 'Lady Gaga',
        coverArtUrl: expect.stringMatching(/^https:\/\/resources\.tidal\.com\/images\/.*\/1280x1280\.jpg$/),
        releaseDate: '2024-08-16',
        numberOfItems: 1,
      });
      expect(await client.getAlbumListing('381265361', 1)).toEqual({
        tracks: [
          {
            position: 1,
            tidalId: '381265362',
            title: 'Die With A Smile',
            artistName: 'Lady Gaga',
            duration: 252,
            explicit: false,
            isrc: 'USUM72409273',
          },
        ],
        problem: null,
      });
    });

    test('an album of which the country has 8 of 10 tracks, and whose first artist is not included', async () => {
      await using tidal = await startTidalServer();
      const { album, items } = recorded('albums-443692756-SE');
      tidal.answer('/albums/443692756', album);
      tidal.answer('/albums/443692756/relationships/items', items);
      const client = tidal.client({ countryCode: 'SE' });
      expect(await client.getAlbum('443692756')).toMatchObject({
        artistName: 'Maher Cissoko',
        numberOfItems: 10,
      });
      const { tracks, problem } = await client.getAlbumListing('443692756', 10);
      expect(problem).toBe('listed for SE: 8 of 10 items');
      expect(tracks.map(({ position, isrc }) => [position, isrc])).toEqual([
        [1, 'SE3X91800101'],
        [2, 'SE3X91800103'],
        [3, 'SE3X91800104'],
        [4, 'SE3X91800106'],
        [5, 'SE3X91800107'],
        [6, 'SE3X91800108'],
        [7, 'SE3X91800109'],
        [8, 'SE3X91800110'],
      ]);
      expect(tracks[0]).toMatchObject({ title: 'Bour Yalla', artistName: 'Sousou Cissoko', duration: 298 });
    });
  });

  describe('constructed', () => {
    test('a track', async () => {
      await using tidal = await startTidalServer();
      tidal.answer('/token', constructed('token'));
      tidal.answer('/tracks/75413016', constructed('track'));
      expect(await tidal.client().getTrack('75413016')).toMatchObject({
        title: 'Kill Jay Z',
        artistName: 'JAY Z',
        albumName: '4:44',
        duration: 178,
        coverArtUrl: expect.stringMatching(/1280x1280\.jpg$/),
        isrc: 'QMJMT1701229',
      });
    });

    test('an album of two pages', async () => {
      await using tidal = await startTidalServer();
      tidal.answer('/albums/75413015', constructed('album'));
      const path = '/albums/75413015/relationships/items';
      tidal.answer(path, constructed('album-items-page1'), constructed('album-items-page2'));
      const client = tidal.client();
      const album = await client.getAlbum('75413015');
      const { tracks, problem } = await client.getAlbumListing('75413015', album?.numberOfItems);
      expect(problem).toBeNull();
      expect(tracks.map(({ position }) => position)).toEqual(
        Array.from({ length: 24 }, (_, index) => index + 1),
      );
      expect(tidal.requestsOf(path).map(({ query }) => query.get('page[cursor]'))).toEqual([null, '3nI1Esi']);
    });

    test('ISRCs by id', async () => {
      await using tidal = await startTidalServer();
      tidal.answer('/tracks', constructed('tracks-batch'), constructed('tracks-batch-none'));
      const client = tidal.client();
      expect(await client.batchFetchTrackIsrcs(['75413016', '75413018', '999999999'])).toEqual(
        new Map([
          ['75413018', 'QMJMT1701231'],
          ['75413016', 'QMJMT1701229'],
        ]),
      );
      expect(await client.batchFetchTrackIsrcs(['999999999'])).toEqual(new Map());
    });

    test.each([
      [400, false],
      [401, false],
      [429, true],
      [503, true],
    ])('a %i', async (status, retryable) => {
      await using tidal = await startTidalServer();
      tidal.answer('/tracks/1', constructed(`error-${status}`));
      await expect(tidal.client().getTrack('1')).rejects.toMatchObject({ status, retryable });
    });

    test('a 404', async () => {
      await using tidal = await startTidalServer();
      tidal.answer('/tracks/1', constructed('error-404'));
      expect(await tidal.client().getTrack('1')).toBeNull();
    });

    test('wrong credentials', async () => {
      await using tidal = await startTidalServer();
      tidal.answer('/token', constructed('token-invalid-client'));
      await expect(tidal.client().getTrack('1')).rejects.toMatchObject({ status: 401, retryable: false });
    });
  });
});
