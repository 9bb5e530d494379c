import { describe, expect, test } from 'vitest';
import { album, artist, artwork, document, toMany, track } from '../test/documents.ts';
import { errorReply, startTidalServer } from '../test/tidalServer.ts';

/** What the client makes of an answer for track 1. */
async function read(body: unknown) {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks/1', { body });
  return await tidal.client().getTrack('1');
}

const ofAlbum = { albums: toMany('albums', '9') };

test('a track comes with its artist, its album and its cover', async () => {
  const body = document(track('1', { explicit: true, duration: 'PT4M12S' }, ofAlbum), [
    artwork('c1', [320, 1280, 80]),
    album('9'),
    artist('a1', 'Abba'),
  ]);
  expect(await read(body)).toEqual({
    tidalId: '1',
    title: 'Track 1',
    artistName: 'Abba',
    albumName: 'Album 9',
    duration: 252,
    coverArtUrl: 'https://pictures/c1/1280.jpg',
    explicit: true,
    isrc: 'USRC10000001',
    isrcOwed: false,
  });
});

test('it is asked for with what it names', async () => {
  await using tidal = await startTidalServer();
  await tidal.client().getTrack('1');
  expect(tidal.requestsOf('/tracks/1')[0]?.query.get('include')).toBe('artists,albums.coverArt');
});

test('a track that TIDAL does not know is null', async () => {
  await using tidal = await startTidalServer();
  expect(await tidal.client().getTrack('404')).toBeNull();
  expect(tidal.requestsOf('/tracks/404')).toHaveLength(1);
});

test('a track of which TIDAL says next to nothing is read all the same', async () => {
  expect(await read({ data: { id: '1', attributes: { title: '' } } })).toEqual({
    tidalId: '1',
    title: '',
    artistName: 'Unknown Artist',
    albumName: '',
    duration: 0,
    coverArtUrl: null,
    explicit: false,
    isrc: null,
    isrcOwed: true,
  });
});

test('fields whose type has changed count as missing', async () => {
  const attributes = {
    version: { text: 'Live' },
    isrc: 7,
    duration: 180,
    explicit: 'no',
    copyright: 'a string',
  };
  const body = document({ ...track('1', attributes), relationships: 'none' }, ['no resource', { id: 1 }]);
  expect(await read(body)).toMatchObject({ title: 'Track 1', isrc: null, duration: 0, explicit: false });
});

test.each(['{}', '{"data": null}', '{"data": {"id": "1"}}', '[]', '"text"', 'null'])(
  '%s is no track',
  async body => {
    await expect(read(body)).rejects.toMatchObject({ retryable: false, status: 200 });
  },
);

describe('a track that comes without its ISRC', () => {
  test.each([
    ['is asked for by a list of ids', { body: document([track('1')]) }, 'USRC10000001', false],
    ['has none when TIDAL says so twice', { body: document([track('1', { isrc: null })]) }, null, false],
    ['is owed its ISRC when TIDAL cannot be asked', errorReply(403), null, true],
  ])('%s', async (_, answer, isrc, isrcOwed) => {
    await using tidal = await startTidalServer();
    tidal.answer('/tracks/1', { body: document(track('1', { isrc: null })) });
    tidal.answer('/tracks', answer);
    expect(await tidal.client().getTrack('1')).toMatchObject({ isrc, isrcOwed });
    expect(tidal.requestsOf('/tracks')).toHaveLength(1);
  });
});

describe('artist', () => {
  const artists = { artists: toMany('artists', 'a1', 'a2', 'a3') };

  test('is the one named first, not the one included first', async () => {
    const body = document(track('1', {}, artists), [artist('a2', 'Björk'), artist('a1', 'Abba')]);
    expect(await read(body)).toMatchObject({ artistName: 'Abba' });
  });

  test('is the next one when the first is not included, or has no name', async () => {
    const body = document(track('1', {}, artists), [artist('a3', 'Zappa'), artist('a2', ' ')]);
    expect(await read(body)).toMatchObject({ artistName: 'Zappa' });
  });

  test('is unknown when nobody is included', async () => {
    expect(await read(document(track('1', {}, artists)))).toMatchObject({ artistName: 'Unknown Artist' });
  });
});

describe('text', () => {
  test('has the version behind the title, of the album, too', async () => {
    const body = document(track('1', { version: 'Live' }, ofAlbum), [album('9', { version: 'Deluxe' })]);
    expect(await read(body)).toMatchObject({ title: 'Track 1 (Live)', albumName: 'Album 9 (Deluxe)' });
  });

  test('comes without NUL characters', async () => {
    const body = document(track('1', { title: 'Ti\0tle', isrc: 'US\0RC17607839' }, ofAlbum), [
      album('9', { title: '\0Album' }),
      artist('a1', 'Ab\0ba'),
    ]);
    expect(await read(body)).toMatchObject({
      title: 'Title',
      isrc: 'USRC17607839',
      albumName: 'Album',
      artistName: 'Abba',
    });
  });
});

describe('cover', () => {
  const withCovers = (...covers: unknown[]) => {
    const cover = album('9', {}, { coverArt: toMany('artworks', 'c1', 'c2') });
    return document(track('1', {}, ofAlbum), [cover, ...covers]);
  };

  test('is no larger than 1280 pixels', async () => {
    expect(await read(withCovers(artwork('c1', [640, 3000, 1080])))).toMatchObject({
      coverArtUrl: 'https://pictures/c1/1080.jpg',
    });
  });

  test('is no video', async () => {
    const video = artwork('c1', [1280], { mediaType: 'VIDEO' });
    expect(await read(withCovers(video, artwork('c2', [640])))).toMatchObject({
      coverArtUrl: 'https://pictures/c2/640.jpg',
    });
  });

  test('may lack its media type, and a file its size', async () => {
    const odd = artwork('c1', [80], { mediaType: undefined });
    odd.attributes.files.push({ href: 'https://pictures/unsized.jpg' } as never);
    expect(await read(withCovers(odd))).toMatchObject({ coverArtUrl: 'https://pictures/c1/80.jpg' });
  });

  test('is the next one when the first has no file', async () => {
    expect(await read(withCovers(artwork('c1', []), artwork('c2', [640])))).toMatchObject({
      coverArtUrl: 'https://pictures/c2/640.jpg',
    });
  });

  test('is null without files', async () => {
    expect(await read(withCovers(artwork('c1', [])))).toMatchObject({ coverArtUrl: null });
  });
});
