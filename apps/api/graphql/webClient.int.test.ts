import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask } from '../test/ask.ts';
import { catalogAlbum, catalogListing, catalogTrack, fakeCatalog } from '../test/catalog.ts';
import { useLibrary } from '../test/library.ts';
import { serverOf } from '../test/server.ts';

/**
 * The operations of the web client that was there before the API. It knows neither pages nor `ingestion`, nor that an
 * item may not be in the catalogue; the variable of an addition is a whole input.
 */
const trackFields = 'id tidalTrackId title artistName albumName duration coverArtUrl createdAt';
const albumFields = 'id tidalAlbumId title artistName coverArtUrl releaseDate trackCount createdAt';
const refusals = `
  ... on DuplicateLibraryItemError { message existingItemId }
  ... on TidalApiUnavailableError { message retryable }`;
const operations = {
  AddAlbumToLibrary: `mutation AddAlbumToLibrary($input: AddAlbumToLibraryInput!) {
    addAlbumToLibrary(input: $input) {
      __typename
      ... on LibraryAlbum { ${albumFields} trackListing { position title duration tidalId explicit } }
      ${refusals}
    }
  }`,
  GetLibraryAlbums: `query GetLibraryAlbums { getLibraryAlbums { __typename ${albumFields} } }`,
  GetLibraryAlbum: `query GetLibraryAlbum($id: ID!) {
    getLibraryAlbum(id: $id) {
      __typename ${albumFields} trackListing { position title duration tidalId explicit isrc isIndexed }
    }
  }`,
  RemoveAlbumFromLibrary: 'mutation RemoveAlbumFromLibrary($id: ID!) { removeAlbumFromLibrary(id: $id) }',
  AddTrackToLibrary: `mutation AddTrackToLibrary($input: AddTrackToLibraryInput!) {
    addTrackToLibrary(input: $input) { __typename ... on LibraryTrack { ${trackFields} } ${refusals} }
  }`,
  GetLibraryTracks: `query GetLibraryTracks {
    getLibraryTracks { __typename ${trackFields} metadata { __typename isrc } isIndexed }
  }`,
  GetLibraryTrack: `query GetLibraryTrack($id: ID!) { getLibraryTrack(id: $id) { __typename ${trackFields} } }`,
  RemoveTrackFromLibrary: 'mutation RemoveTrackFromLibrary($id: ID!) { removeTrackFromLibrary(id: $id) }',
};

const here = useLibrary();
const track = catalogTrack();
const album = catalogAlbum({ numberOfItems: 3 });
const listing = catalogListing({}, {}, { isrc: null });
const [pendingTrack, indexedTrack] = listing;

let server: FastifyInstance;
beforeAll(async () => {
  server = await serverOf(here.libraryWith(fakeCatalog({ tracks: [track], albums: [{ album, listing }] })));
});
afterAll(async () => {
  await server.close();
});

async function run(operationName: keyof typeof operations, variables?: object) {
  const { data, errors } = await ask(server, operations[operationName], variables);
  expect(errors).toBeUndefined();
  return data;
}

const seenInIndex = (isrc: string | null | undefined) => here.sql`
  INSERT INTO ingestion_ledger (isrc, outbox_id, generation, indexed_at)
  SELECT isrc, id, 1, now() FROM ingestion_outbox WHERE isrc = ${isrc ?? ''}`;
const settle = () => here.sql`UPDATE ingestion_outbox SET status = 'skipped', settled_at = now()`;

test("the original web client's operations on tracks get what they ask for", async () => {
  const input = { tidalTrackId: track.tidalId };
  const { addTrackToLibrary: added } = await run('AddTrackToLibrary', { input });
  expect(added).toEqual({
    __typename: 'LibraryTrack',
    id: expect.any(String),
    tidalTrackId: track.tidalId,
    title: track.title,
    artistName: track.artistName,
    albumName: track.albumName,
    duration: track.duration,
    coverArtUrl: track.coverArtUrl,
    createdAt: expect.any(String),
  });
  const { id } = added;
  expect(await run('AddTrackToLibrary', { input })).toMatchObject({
    addTrackToLibrary: { __typename: 'DuplicateLibraryItemError', existingItemId: id },
  });

  const metadata = { __typename: 'TrackMetadata', isrc: track.isrc };
  const list = await run('GetLibraryTracks');
  expect(list).toEqual({ getLibraryTracks: [{ ...added, metadata, isIndexed: false }] });
  await seenInIndex(track.isrc);
  await settle();
  expect(await run('GetLibraryTracks')).toMatchObject({ getLibraryTracks: [{ isIndexed: true }] });

  expect(await run('GetLibraryTrack', { id })).toEqual({ getLibraryTrack: added });
  expect(await run('RemoveTrackFromLibrary', { id })).toEqual({ removeTrackFromLibrary: true });
  expect(await run('GetLibraryTrack', { id })).toEqual({ getLibraryTrack: null });
});

test("the original web client's operations on albums get what they ask for", async () => {
  const input = { tidalAlbumId: album.tidalId };
  const { addAlbumToLibrary: added } = await run('AddAlbumToLibrary', { input });
  const { trackListing, ...withoutListing } = added;
  const listed = listing.map(({ artistName: _, isrc: __, ...shown }) => shown);
  expect(trackListing).toEqual(listed);
  expect(withoutListing).toEqual({
    __typename: 'LibraryAlbum',
    id: expect.any(String),
    tidalAlbumId: album.tidalId,
    title: album.title,
    artistName: album.artistName,
    coverArtUrl: album.coverArtUrl,
    releaseDate: album.releaseDate,
    trackCount: 3,
    createdAt: expect.any(String),
  });
  const { id } = added;
  expect(await run('GetLibraryAlbums')).toEqual({ getLibraryAlbums: [withoutListing] });

  await seenInIndex(indexedTrack?.isrc);
  await settle();
  const { getLibraryAlbum } = await run('GetLibraryAlbum', { id });
  expect(getLibraryAlbum).toMatchObject(withoutListing);
  expect(getLibraryAlbum.trackListing).toMatchObject([
    { isrc: pendingTrack?.isrc, isIndexed: false },
    { isrc: indexedTrack?.isrc, isIndexed: true },
    { isrc: null, isIndexed: false },
  ]);

  expect(await run('RemoveAlbumFromLibrary', { id })).toEqual({ removeAlbumFromLibrary: true });
  expect(await run('GetLibraryAlbum', { id })).toEqual({ getLibraryAlbum: null });
});
