import { eventually } from '@segue/testing/eventually.ts';
import type { FastifyInstance } from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startCompletion } from '../catalog/completion.ts';
import {
  catalogAlbum,
  catalogListing,
  catalogTrack,
  type FakeCatalog,
  fakeCatalog,
  newIsrc,
} from '../test/catalog.ts';
import { type TestLibrary, useLibrary } from '../test/library.ts';
import { serverOf } from '../test/server.ts';

const here = useLibrary();
const { libraryWith } = here;
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

async function serve(library: TestLibrary): Promise<FastifyInstance> {
  const server = await serverOf(library);
  onTestFinished(() => server.close());
  return server;
}

/** @returns the id that the answer carries */
async function add(server: FastifyInstance, mutation: string, headers: Record<string, string> = {}) {
  const query = `mutation { ${mutation} { __typename } }`;
  const response = await server.inject({ method: 'POST', url: '/graphql', headers, payload: { query } });
  expect(response.json().errors).toBeUndefined();
  return response.headers['x-request-id'];
}

const addTrack = (id: string) => `addTrackToLibrary(input: {tidalTrackId: "${id}"})`;
const addAlbum = (id: string) => `addAlbumToLibrary(input: {tidalAlbumId: "${id}"})`;
const originsOf = (isrcs: (string | null)[]) =>
  here.sql`SELECT request_id, traceparent FROM ingestion_outbox WHERE isrc = ANY(${isrcs}) ORDER BY id`;

test('the id of an answer stands in its outbox row and in its log line', async () => {
  const track = catalogTrack();
  const library = libraryWith(fakeCatalog({ tracks: [track] }));
  const requestId = await add(await serve(library), addTrack(track.tidalId), { traceparent });

  expect(requestId).toMatch(/^[\da-f-]{36}$/);
  expect(await originsOf([track.isrc])).toEqual([{ request_id: requestId, traceparent }]);
  expect(library.lines).toMatchObject([{ event: 'ingestion_requested', requestId }]);
});

test('all rows of an album carry the id of its request', async () => {
  const album = catalogAlbum();
  const listing = catalogListing({}, {});
  const server = await serve(libraryWith(fakeCatalog({ albums: [{ album, listing }] })));
  const requestId = await add(server, addAlbum(album.tidalId), { traceparent });

  const origin = { request_id: requestId, traceparent };
  expect(await originsOf(listing.map(({ isrc }) => isrc))).toEqual([origin, origin]);
});

test('a traceparent that is none is stored as it is; a long one is not stored', async () => {
  const tracks = [catalogTrack(), catalogTrack(), catalogTrack()] as const;
  const server = await serve(libraryWith(fakeCatalog({ tracks: [...tracks] })));
  const given = ["'; --", 'x'.repeat(1_000), undefined];
  for (const [index, { tidalId }] of tracks.entries()) {
    const value = given[index];
    await add(server, addTrack(tidalId), value === undefined ? {} : { traceparent: value });
  }

  const stored = await originsOf(tracks.map(({ isrc }) => isrc));
  expect(stored.map(row => row.traceparent)).toEqual(["'; --", null, null]);
});

test('a request that is refused carries an id as well', async () => {
  const server = await serve(libraryWith());
  const refused = await server.inject({ method: 'DELETE', url: '/graphql' });
  expect(refused.statusCode).toBe(405);
  expect(refused.headers['x-request-id']).toMatch(/^[\da-f-]{36}$/);
});

describe('what TIDAL owes', () => {
  test('of an album is requested in the name of who added it', async () => {
    const album = catalogAlbum({ numberOfItems: 2 });
    const [first, late] = catalogListing({}, {});
    if (first === undefined || late === undefined) throw new Error('two tracks are listed');
    const places = [first, late].map(({ tidalId }, index) => ({ id: tidalId, volume: 1, number: index + 1 }));
    const read = { nextPage: null, pagesRead: [], expectedItems: 2, places, videos: [] };
    const owed = { ...read, trackIds: [late.tidalId] };
    const continueAlbumListing = async () => ({
      tracks: [late],
      isrcs: new Map(),
      unreadable: [],
      owed: { ...read, trackIds: [] },
      problem: null,
    });
    const catalog = fakeCatalog({ albums: [{ album, listing: [first], owed }] });
    await expectLate({ ...catalog, continueAlbumListing }, addAlbum(album.tidalId), late.isrc);
  });

  test('of a track is requested in the name of who added it', async () => {
    const track = catalogTrack({ isrc: null, isrcOwed: true });
    const isrc = newIsrc();
    const batchFetchTrackIsrcs = async () => ({
      isrcs: new Map([[track.tidalId, isrc]]),
      failures: new Map(),
    });
    const catalog = { ...fakeCatalog({ tracks: [track] }), batchFetchTrackIsrcs };
    await expectLate(catalog, addTrack(track.tidalId), isrc);
  });

  async function expectLate(catalog: FakeCatalog, mutation: string, isrc: string | null) {
    const library = libraryWith(catalog);
    const requestId = await add(await serve(library), mutation, { traceparent });
    expect(await originsOf([isrc])).toEqual([]);
    library.lines.length = 0;
    const completion = startCompletion(library);
    onTestFinished(() => completion.stop());

    const line = { event: 'ingestion_requested', isrc, requestId, trace_id: traceparent.slice(3, 35) };
    await eventually(() => expect(library.lines).toContainEqual(expect.objectContaining(line)));
    expect(await originsOf([isrc])).toEqual([{ request_id: requestId, traceparent }]);
  }
});
