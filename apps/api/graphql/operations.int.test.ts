import { TidalApiError } from '@segue/tidal/http/error.ts';
import { drizzle } from 'drizzle-orm/postgres-js';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Library } from '../library/library.ts';

import { ask } from '../test/ask.ts';
import { catalogAlbum, catalogListing, catalogTrack, fakeCatalog } from '../test/catalog.ts';
import { useLibrary } from '../test/library.ts';
import { serverOf } from '../test/server.ts';

const here = useLibrary();

const tracks = [catalogTrack({ title: 'Blue in Green' }), catalogTrack(), catalogTrack({ isrc: null })];
const listing = catalogListing({}, { isrc: 'too short' }, {});
const album = catalogAlbum({ numberOfItems: 3 });
const catalog = fakeCatalog({ tracks, albums: [{ album, listing }] });

const allOfTrack = `
  __typename id tidalTrackId title artistName albumName duration coverArtUrl explicit isrc createdAt
  metadata { isrc } isIndexed ingestion { status requestedAt scheduledAt reason }`;
const allOfAlbum = `
  __typename id tidalAlbumId title artistName coverArtUrl releaseDate trackCount createdAt
  trackListing {
    __typename position title duration tidalId explicit isrc isIndexed
    ingestion { status requestedAt scheduledAt reason }
  }`;
const errors = `
  ... on DuplicateLibraryItemError { __typename message existingItemId }
  ... on CatalogItemNotFoundError { __typename message tidalId }
  ... on TidalApiUnavailableError { __typename message retryable }`;
const addTrack = `mutation ($id: ID!) {
  addTrackToLibrary(input: {tidalTrackId: $id}) { ... on LibraryTrack { ${allOfTrack} } ${errors} }
}`;
const addAlbum = `mutation ($id: ID!) {
  addAlbumToLibrary(input: {tidalAlbumId: $id}) { ... on LibraryAlbum { ${allOfAlbum} } ${errors} }
}`;

const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const pending = { status: 'PENDING', requestedAt: timestamp, scheduledAt: null, reason: null };
const notRequested = { status: 'NOT_REQUESTED', requestedAt: null, scheduledAt: null };

let library: Library;
let server: FastifyInstance;
beforeAll(async () => {
  library = here.libraryWith(catalog);
  server = await serverOf(library);
});
afterAll(async () => {
  await server.close();
});

/** Serves another library for as long as the work takes. */
async function served<Result>(other: Library, work: (server: FastifyInstance) => Promise<Result>) {
  const otherServer = await serverOf(other);
  try {
    return await work(otherServer);
  } finally {
    await otherServer.close();
  }
}

describe('a library', () => {
  let trackId: string;
  let albumId: string;

  test('takes a track, and says all of it', async () => {
    const [track] = tracks;
    const { data, errors } = await ask(server, addTrack, { id: track?.tidalId });
    expect(errors).toBeUndefined();
    expect(data.addTrackToLibrary).toEqual({
      __typename: 'LibraryTrack',
      id: expect.any(String),
      tidalTrackId: track?.tidalId,
      title: 'Blue in Green',
      artistName: 'Miles Davis',
      albumName: 'Kind of Blue',
      duration: 562,
      coverArtUrl: track?.coverArtUrl,
      explicit: false,
      isrc: track?.isrc,
      metadata: { isrc: track?.isrc },
      isIndexed: false,
      createdAt: timestamp,
      ingestion: { ...pending, requestedAt: data.addTrackToLibrary.createdAt },
    });
    trackId = data.addTrackToLibrary.id;
  });

  test('takes an album, and says all of it', async () => {
    const { data, errors } = await ask(server, addAlbum, { id: album.tidalId });
    expect(errors).toBeUndefined();
    expect(data.addAlbumToLibrary).toEqual({
      __typename: 'LibraryAlbum',
      id: expect.any(String),
      tidalAlbumId: album.tidalId,
      title: 'Kind of Blue',
      artistName: 'Miles Davis',
      coverArtUrl: album.coverArtUrl,
      releaseDate: '1959-08-17',
      trackCount: 3,
      createdAt: timestamp,
      trackListing: listing.map(({ position, title, duration, tidalId, explicit, isrc }) => ({
        __typename: 'TrackInfo',
        position,
        title,
        duration,
        tidalId,
        explicit,
        isrc,
        isIndexed: false,
        ingestion:
          isrc === 'too short'
            ? { ...notRequested, reason: 'invalid_isrc' }
            : { ...pending, requestedAt: data.addAlbumToLibrary.createdAt },
      })),
    });
    albumId = data.addAlbumToLibrary.id;
  });

  test('takes nothing twice', async () => {
    const again = [
      (await ask(server, addTrack, { id: tracks[0]?.tidalId })).data.addTrackToLibrary,
      (await ask(server, addAlbum, { id: album.tidalId })).data.addAlbumToLibrary,
    ];
    expect(again).toEqual([
      {
        __typename: 'DuplicateLibraryItemError',
        message: 'This track is in the library already.',
        existingItemId: trackId,
      },
      {
        __typename: 'DuplicateLibraryItemError',
        message: 'This album is in the library already.',
        existingItemId: albumId,
      },
    ]);
  });

  test('lists what it has, and gives it one by one', async () => {
    await ask(server, addTrack, { id: tracks[1]?.tidalId });
    const { data } = await ask(
      server,
      `query ($track: ID!, $album: ID!) {
        getLibraryTracks { title }
        rest: getLibraryTracks(first: 1, after: "${trackId}") { title }
        getLibraryAlbums { id title }
        getLibraryTrack(id: $track) { id }
        getLibraryAlbum(id: $album) { id }
        unknown: getLibraryTrack(id: "nothing like it") { id }
      }`,
      { track: trackId, album: albumId },
    );
    expect(data).toEqual({
      getLibraryTracks: [{ title: 'Blue in Green' }, { title: 'So What' }],
      rest: [{ title: 'So What' }],
      getLibraryAlbums: [{ id: albumId, title: 'Kind of Blue' }],
      getLibraryTrack: { id: trackId },
      getLibraryAlbum: { id: albumId },
      unknown: null,
    });
  });

  test('asks what became of all that it lists in one query a list', async () => {
    await ask(server, addTrack, { id: tracks[2]?.tidalId });
    const queries: string[] = [];
    const logger = { logQuery: (query: string) => queries.push(query) };
    const counting = { ...here.database, drizzle: drizzle(here.database.sql, { logger }) };
    const { data } = await served({ ...library, database: counting }, other =>
      ask(
        other,
        `{ getLibraryTracks { ingestion { status } }
           again: getLibraryTracks { ingestion { status reason } } }`,
      ),
    );
    expect(data.again.map(({ ingestion }: never) => ingestion)).toContainEqual({
      status: 'NOT_REQUESTED',
      reason: 'missing_isrc',
    });
    expect(data.getLibraryTracks).toHaveLength(3);
    expect(queries.filter(query => query.includes('ingestion_ledger')).length).toBeLessThanOrEqual(2);
  });

  test('lets go of what is removed, once', async () => {
    const remove = `mutation ($track: ID!, $album: ID!) {
      removeTrackFromLibrary(id: $track)
      removeAlbumFromLibrary(id: $album)
    }`;
    const ids = { track: trackId, album: albumId };
    const removed = { removeTrackFromLibrary: true, removeAlbumFromLibrary: true };
    expect((await ask(server, remove, ids)).data).toEqual(removed);
    const nothing = { removeTrackFromLibrary: false, removeAlbumFromLibrary: false };
    expect((await ask(server, remove, ids)).data).toEqual(nothing);
    expect((await ask(server, '{ getLibraryAlbums { id } }')).data).toEqual({ getLibraryAlbums: [] });
  });
});

test('what TIDAL does not have is said to be unknown', async () => {
  const { data } = await ask(server, addTrack, { id: '404' });
  expect(data.addTrackToLibrary).toEqual({
    __typename: 'CatalogItemNotFoundError',
    message: 'TIDAL has no track 404, or does not offer it in this country.',
    tidalId: '404',
  });
});

test.each([true, false])('TIDAL down is said, and whether to try again (%s)', async retryable => {
  const failure = new TidalApiError('album 1: hidden detail', { retryable, status: null });
  const { data } = await served(here.libraryWith(fakeCatalog({ failure })), other =>
    ask(other, addAlbum, { id: '1' }),
  );
  expect(data.addAlbumToLibrary).toEqual({
    __typename: 'TidalApiUnavailableError',
    message: expect.stringContaining('TIDAL'),
    retryable,
  });
  expect(data.addAlbumToLibrary.message).not.toContain('hidden detail');
});

test('R10: an addition stands even if what became of it cannot be told', async () => {
  const track = catalogTrack();
  const broken = {
    execute() {
      throw new Error('no ledger');
    },
  };
  const other = here.libraryWith(fakeCatalog({ tracks: [track] }));
  const database = { ...other.database, drizzle: broken as never };

  const { data, errors } = await served({ ...other, database }, server =>
    ask(server, addTrack, { id: track.tidalId }),
  );

  expect(data.addTrackToLibrary).toMatchObject({
    __typename: 'LibraryTrack',
    ingestion: null,
    isIndexed: false,
  });
  expect(errors).toMatchObject([
    { path: ['addTrackToLibrary', 'ingestion'], extensions: { code: 'INTERNAL_SERVER_ERROR' } },
  ]);
  expect(other.lines).toContainEqual(
    expect.objectContaining({ msg: 'isIndexed is false: the status of recordings cannot be read' }),
  );
});
