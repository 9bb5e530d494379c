import { outcomeOf, TestRelay } from '@segue/outbox/test/outbox.ts';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, send } from '../test/ask.ts';
import { catalogAlbum, catalogListing, catalogTrack, fakeCatalog, newIsrc } from '../test/catalog.ts';
import { newUser, useLibrary } from '../test/library.ts';
import { serverOf } from '../test/server.ts';

const here = useLibrary();
const tracks = Array.from({ length: 6 }, () => catalogTrack());
const shared = [newIsrc(), newIsrc(), newIsrc(), newIsrc()];
const popular = { album: catalogAlbum({ numberOfItems: 4 }), listing: catalogListing({}, {}, {}, {}) };
const forwards = { album: catalogAlbum(), listing: catalogListing(...shared.map(isrc => ({ isrc }))) };
const backwards = {
  album: catalogAlbum(),
  listing: catalogListing(...shared.toReversed().map(isrc => ({ isrc }))),
};
const catalog = fakeCatalog({ tracks, albums: [popular, forwards, backwards] });

let server: FastifyInstance;
beforeAll(async () => {
  server = await serverOf(here.libraryWith(catalog), { authenticate: async header => header ?? 'local' });
});
afterAll(async () => {
  await server.close();
});

const fifty = Array.from({ length: 50 }, (_, index) => index);
const album = `__typename ... on LibraryAlbum { id } ... on DuplicateLibraryItemError { existingItemId }`;
const addAlbum = (id: string) => `mutation { addAlbumToLibrary(input: {tidalAlbumId: ${id}}) { ${album} } }`;
const addAlbumAs = (user: string, id: string) =>
  send(server, { headers: { authorization: user }, payload: { query: addAlbum(id) } });

/** What a relay would send of all that waits for these recordings: one event each, unless it was sent before. */
async function sentOf(isrcs: (string | null)[]): Promise<string[]> {
  const relay = new TestRelay(here.sql);
  await relay.beat();
  const rows = (await relay.read()).filter(({ isrc }) => isrcs.includes(isrc));
  const leads = [...Map.groupBy(rows, ({ isrc }) => isrc).values()].flatMap(([lead]) => lead ?? []);
  await relay.settle(
    rows.map(row =>
      leads.includes(row) ? outcomeOf(row) : outcomeOf(row, { as: 'duplicate', leads: false }),
    ),
  );
  await relay.beat({ state: 'stopped', handBack: relay.slots });
  return leads.filter(({ isSent }) => !isSent).map(({ isrc }) => isrc);
}

test('a track that 50 requests add at once is one row, and 49 learn its id', async () => {
  const [track] = tracks;
  const query = `mutation { addTrackToLibrary(input: {tidalTrackId: ${track?.tidalId}}) {
    __typename ... on LibraryTrack { id } ... on DuplicateLibraryItemError { existingItemId } } }`;
  const answers = await Promise.all(fifty.map(() => ask(server, query)));

  const rows = await here.sql`SELECT id FROM library_tracks WHERE isrc = ${track?.isrc as string}`;
  expect(rows).toHaveLength(1);
  const results = answers.map(({ data }) => data.addTrackToLibrary);
  expect(results.filter(({ id }) => id === rows[0]?.id)).toHaveLength(1);
  expect(results.filter(({ existingItemId }) => existingItemId === rows[0]?.id)).toHaveLength(49);
  expect(await here.sql`SELECT FROM ingestion_outbox WHERE isrc = ${track?.isrc as string}`).toHaveLength(1);
});

test('an album that 50 users add at once is 50 rows, and one event a recording', async () => {
  const answers = await Promise.all(fifty.map(() => addAlbumAs(newUser(), popular.album.tidalId)));
  expect(answers.map(({ data }) => data.addAlbumToLibrary.__typename)).toEqual(
    fifty.map(() => 'LibraryAlbum'),
  );
  expect(
    await here.sql`SELECT FROM library_albums WHERE tidal_album_id = ${popular.album.tidalId}`,
  ).toHaveLength(50);
  const isrcs = popular.listing.map(({ isrc }) => isrc);
  expect((await sentOf(isrcs)).toSorted()).toEqual(isrcs.toSorted());
});

test('two albums of the same recordings, added at once in both orders, do not lock each other out', async () => {
  const answers = await Promise.all(
    fifty.flatMap(() => {
      const user = newUser();
      return [addAlbumAs(user, forwards.album.tidalId), addAlbumAs(user, backwards.album.tidalId)];
    }),
  );
  expect(new Set(answers.map(({ data }) => data?.addAlbumToLibrary.__typename))).toEqual(
    new Set(['LibraryAlbum']),
  );
  expect((await sentOf(shared)).toSorted()).toEqual(shared.toSorted());
});

test('a bulk that 20 requests add at once in both orders stores each track once', async () => {
  const ids = tracks.slice(1).map(({ tidalId }) => tidalId);
  const query = `mutation ($ids: [ID!]!) { addTracksToLibrary(input: {tidalTrackIds: $ids}) {
    __typename ... on LibraryTrack { id } ... on DuplicateLibraryItemError { existingItemId } } }`;
  const answers = await Promise.all(
    fifty.slice(0, 20).map(turn => ask(server, query, { ids: turn % 2 ? ids : ids.toReversed() })),
  );
  const results = answers.flatMap(({ data }) => data.addTracksToLibrary);
  expect(results.filter(({ __typename }) => __typename === 'LibraryTrack')).toHaveLength(ids.length);
  expect(results.filter(({ __typename }) => __typename === 'DuplicateLibraryItemError')).toHaveLength(
    19 * ids.length,
  );
});
