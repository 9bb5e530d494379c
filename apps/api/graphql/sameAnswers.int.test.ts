import type { ListedTrack } from '@segue/database/schema/tables.ts';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
// By its file, as mercurius requires it: vitest takes 'graphql' for its other copy, `index.mjs`.
import { execute, parse } from 'graphql/index.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requestTime } from '../http/deadline.ts';
import { readAlbumIngestions } from '../ingestion/albumIngestion.ts';
import { createStatusLookup, readIngestions } from '../ingestion/status.ts';
import { addAlbum } from '../library/addAlbum.ts';
import { addTracks } from '../library/addTracks.ts';
import { readListings } from '../library/listings.ts';
import { countItemsOf, countRecordingsOf } from '../library/summary.ts';
import { ask } from '../test/ask.ts';
import { catalogAlbum, catalogListing, catalogTrack, fakeCatalog } from '../test/catalog.ts';
import { type RandomRequest, randomRequests } from '../test/documents.ts';
import { useLibrary } from '../test/library.ts';
import { serverOf } from '../test/server.ts';

/** `API_FUZZ_REQUESTS=10000 npx vitest run apps/api/graphql/sameAnswers` takes its time; a failure prints its seed. */
const numRuns = Number(process.env.API_FUZZ_REQUESTS ?? 120) / 2;
const timeout = 600_000;

const here = useLibrary();
const tracks = [catalogTrack(), catalogTrack({ isrc: null }), catalogTrack({ title: 'Blue in Green' })];
const album = catalogAlbum();
const stocked = fakeCatalog({ tracks, albums: [{ album, listing: catalogListing({}, { isrc: 'short' }) }] });

let server: FastifyInstance;
beforeAll(async () => {
  const library = here.libraryWith(stocked);
  const ids = tracks.map(({ tidalId }) => tidalId);
  await addTracks(library, 'local', ids);
  await addAlbum(library, 'local', album.tidalId);
  // TIDAL has nothing more, so that no addition changes what the next request reads.
  server = await serverOf(here.libraryWith(), {
    limits: { queryTokens: 100_000, queryDepth: 100, queryAliases: 10_000, queryComplexity: 10_000_000 },
  });
  await server.ready();
});
afterAll(async () => {
  await server.close();
});

type Compared = { data: unknown; errors: string[] };

/** What graphql-js answers. */
async function expected({ query, variables }: RandomRequest): Promise<Compared> {
  const contextValue = {
    userId: 'local',
    time: requestTime(30_000),
    bounded: (work: () => unknown) => work(),
    reading: (work: () => unknown) => work(),
    // The API makes an answer in turns: this one is whole at once.
    listings: {
      behind: (work: () => unknown) => work(),
      of: async (id: string, _: number, known?: ListedTrack[]) =>
        known ?? (await readListings(here.database, [id])).get(id),
    },
    statusOf: createStatusLookup(requests => readIngestions(here.database, requests)),
    albumIngestionOf: async (id: string) => (await readAlbumIngestions(here.database, [id]))[0],
    library: {
      items: () => countItemsOf(here.database, 'local'),
      recordings: () => countRecordingsOf(here.database, 'local'),
    },
  };
  const document = parse(query);
  const { schema } = server.graphql;
  return comparable(await execute({ schema, document, contextValue, variableValues: variables }));
}

function comparable({
  data,
  errors = [],
}: {
  data?: unknown;
  errors?: readonly { message: string; path?: readonly unknown[] | undefined }[] | undefined;
}): Compared {
  // Of fields that empty the same object, the first that fails is told, and others only if they fail before the answer is
  // made (GraphQL 6.4.4). So an error is known by its message and its root field.
  const told = errors.map(({ message, path }) => JSON.stringify({ message, field: path?.[0] ?? null }));
  // By way of JSON, as the answer came.
  return { data: JSON.parse(JSON.stringify(data ?? null)), errors: [...new Set(told)].sort() };
}

async function check(request: RandomRequest): Promise<void> {
  const right = await expected(request);
  for (let time = 1; time <= 3; time++) {
    const { query, variables } = request;
    expect(comparable(await ask(server, query, variables)), `for the ${time}. time`).toEqual(right);
  }
}

const values = {
  first: ['1', '2', '200', '0', '$n', '$m'],
  last: ['1', '2', '$n'],
  after: ['null', '"none"', '$after'],
  before: ['null', '"none"', '$after'],
  id: ['$id', '"none"', '7'],
};

test('a query is answered as graphql-js answers it, the first time and every time', { timeout }, async () => {
  await fc.assert(fc.asyncProperty(randomRequests(server.graphql.schema, 'query', values), check), {
    numRuns,
  });
});

test('so is a mutation', { timeout }, async () => {
  const inputs = [
    ...['{tidalTrackId: $id}', '{tidalAlbumId: $id}', '{tidalTrackId: "x"}', '{tidalAlbumId: 7}'],
    ...['{tidalTrackIds: [7, "x"]}', '{tidalAlbumIds: $id}', '{tidalAlbumIds: [7, $id]}'],
  ];
  const requests = randomRequests(server.graphql.schema, 'mutation', { ...values, input: inputs });
  await fc.assert(fc.asyncProperty(requests, check), { numRuns });
});

test.each<[string, Record<string, unknown>]>([
  [
    'query($p: Boolean!) { getLibraryTracks { id ...F @include(if: $p) ...F } } fragment F on LibraryTrack { title }',
    { p: false },
  ],
  ['query($n: Int) { getLibraryTracks(first: $n) { id } }', { n: 2 ** 31 }],
  ['query($n: Int) { getLibraryTracks(first: $n) { id } }', { n: '3' }],
  ['query($p: Boolean!) { getLibraryAlbums { trackListing @skip(if: $p) { title } id } }', { p: true }],
])('%s', async (query, variables) => {
  await check({ query, variables });
});
