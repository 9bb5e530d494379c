import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allowanceOf } from '../access/mutationAllowance.ts';
import { IngestionScheduler } from '../ingestion/ingestionScheduler.ts';
import { type Answer, ask, send } from '../test/ask.ts';
import { fakeCatalog } from '../test/catalog.ts';
import { loggerInMemory } from '../test/logger.ts';
import { serverOf } from '../test/server.ts';

const { logger } = loggerInMemory();
const catalog = fakeCatalog();
/** Fails whoever gets as far as that. */
const untouchable = new Proxy(
  {},
  {
    get() {
      throw new Error('the database was touched');
    },
  },
) as never;
const scheduler = new IngestionScheduler({ hint: { give() {} }, logger });
const library = { database: untouchable, catalog, scheduler, logger };

let server: FastifyInstance;
beforeAll(async () => {
  server = await serverOf(library);
});
afterAll(async () => {
  await server.close();
});

const everything = `id title artistName coverArtUrl releaseDate trackCount createdAt trackListing {
  position title duration tidalId explicit isrc ingestion { status requestedAt scheduledAt reason } }`;
const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => text(i));
const nested = (depth: number) => `${'{ x '.repeat(depth)}${'}'.repeat(depth)}`;

describe.each([1, 2, 3])('asked for the %i. time', () => {
  test.each([
    ['deep', nested(11), 'is too deep: its depth is 11, and may be 10'],
    [
      'deep within fragments',
      `{ ...A } fragment A on Query { a { a { a { a { a { ...B } } } } } } fragment B on X ${nested(6)}`,
      'is too deep: its depth is 11',
    ],
    [
      'aliased',
      `{ ${times(31, i => `a${i}: getLibraryTrack(id: "x") { id }`).join(' ')} }`,
      'its number of aliases is 31, and may be 30',
    ],
    [
      'wide',
      `{ a: getLibraryAlbums(first: 200) { ${everything} } b: getLibraryAlbums(first: 200) { ${everything} } }`,
      'asks for too much: its complexity',
    ],
    [
      'wide through fragments',
      `{ ${times(20, i => `a${i}: getLibraryAlbums { ...A }`).join(' ')} } fragment A on LibraryAlbum { ${everything} }`,
      'asks for too much: its complexity',
    ],
    [
      'wide by connections',
      `{ a: libraryAlbums(first: 200) { nodes { ${everything} } }
         b: libraryAlbums(last: 200) { edges { node { ${everything} } } } }`,
      'asks for too much: its complexity',
    ],
    [
      'wide by fragments on connections',
      `{ a: libraryAlbums(first: 200) { ...A } b: libraryAlbums(last: 200) { ...A } c: libraryAlbums { ...A } }
       fragment A on LibraryAlbumConnection { ...B } fragment B on LibraryAlbumConnection { nodes { ${everything} } }`,
      'asks for too much: its complexity',
    ],
    [
      'wide by a long name, which the answer repeats,',
      `{ getLibraryAlbums(first: 200) { trackListing { ${'x'.repeat(5_000)}: title } } }`,
      'asks for too much: its complexity',
    ],
    [
      'wide by its usual pages',
      `{ ${times(6, i => `a${i}: libraryAlbums { nodes { ${everything} } edges { node { ${everything} } } }`).join(' ')} }`,
      'asks for too much: its complexity',
    ],
  ])('a %s query is refused before it touches the database', async (_, query, message) => {
    expect(await ask(server, query)).toMatchObject({
      status: 400,
      data: null,
      errors: [{ message: expect.stringContaining(message), extensions: { code: 'QUERY_TOO_COSTLY' } }],
    });
  });

  test('a variable is no way around', async () => {
    const query = `query ($n: Int, $m: Int = 200) {
      a: getLibraryAlbums(first: $n) { ${everything} }
      b: libraryAlbums(last: $m) { nodes { ${everything} } } }`;
    expect(await ask(server, query, { n: 200 })).toMatchObject({
      errors: [{ extensions: { code: 'QUERY_TOO_COSTLY' } }],
    });
    expect((await ask(server, query, { n: 1, m: 1 })).errors?.[0]?.extensions.code).not.toBe(
      'QUERY_TOO_COSTLY',
    );
  });

  test.each([
    [
      'circular',
      '{ getLibraryAlbums { ...A } } fragment A on LibraryAlbum { id ...B } fragment B on LibraryAlbum { ...A }',
    ],
    ['long', `{ ${'__typename '.repeat(1_000)} }`],
  ])('a %s query is refused', async (_, query) => {
    expect(await ask(server, query)).toMatchObject({
      status: 400,
      errors: [{ extensions: { code: 'BAD_REQUEST' } }],
    });
  });

  test('a list of more ids than are allowed is refused', async () => {
    const query =
      'mutation ($ids: [ID!]!) { addTracksToLibrary(input: {tidalTrackIds: $ids}) { __typename } }';
    const ids = times(101, String);
    expect((await ask(server, query, { ids })).errors).toMatchObject([
      { message: 'tidalTrackIds must have 100 ids at the most', extensions: { code: 'BAD_USER_INPUT' } },
    ]);
    expect(catalog.asked).toEqual([]);
  });
});

test('fragments that multiply each other are refused in no time', async () => {
  const chain = times(40, i => `fragment F${i} on LibraryAlbum { ...F${i + 1} ...F${i + 1} }`).join(' ');
  const query = `{ getLibraryAlbums { ...F0 } } ${chain} fragment F40 on LibraryAlbum { id title }`;
  expect(await ask(server, query)).toMatchObject({ errors: [{ extensions: { code: 'QUERY_TOO_COSTLY' } }] });
});

test('a full page of albums with all of their fields is no more than may be asked for', async () => {
  const answer = await ask(server, `{ getLibraryAlbums(first: 200) { ${everything} } }`);
  expect(answer).toMatchObject({ errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] });
});

describe('each limit can be set', () => {
  test.each([
    [{ queryDepth: 1 }, '{ getLibraryTracks { id } }'],
    [{ queryAliases: 0 }, '{ t: getLibraryTracks { id } }'],
    [{ queryComplexity: 100 }, '{ getLibraryTracks(first: 100) { id title } }'],
    [{ queryTokens: 4 }, '{ getLibraryTracks { id } }'],
    [{ pageSize: 20 }, '{ getLibraryTracks(first: 21) { id } }'],
    [{ bulkSize: 1 }, 'mutation { addAlbumsToLibrary(input: {tidalAlbumIds: [1, 2]}) { __typename } }'],
    [{ bodyBytes: 20 }, '{ getLibraryTracks { id } }'],
  ])('%j', async (limits, query) => {
    const strict = await serverOf(library, { limits });
    const { errors } = await ask(strict, query);
    await strict.close();
    expect(['QUERY_TOO_COSTLY', 'BAD_USER_INPUT', 'BAD_REQUEST']).toContain(errors?.[0]?.extensions.code);
  });
});

describe('changes a minute', () => {
  const remove = (count: number) =>
    `mutation { ${times(count, i => `m${i}: removeTrackFromLibrary(id: "x")`).join(' ')} }`;

  test('each user has their own, and what is looked up is free', async () => {
    const limited = await serverOf(library, {
      authenticate: async header => String(header),
      mutationAllowance: allowanceOf(5),
    });
    const as = (user: string, query: string) =>
      send(limited, { headers: { authorization: user }, payload: { query } });

    expect((await as('ada', remove(5))).status).toBe(200);
    for (let time = 0; time < 3; time++) expect((await as('ada', '{ __typename }')).status).toBe(200);
    const refused = await limited.inject({
      method: 'POST',
      url: '/graphql',
      headers: { authorization: 'ada' },
      payload: { query: remove(1) },
    });
    expect(refused.statusCode).toBe(429);
    const [error] = refused.json().errors;
    expect(error.extensions).toEqual({ code: 'RATE_LIMITED', retryAfterSeconds: expect.any(Number) });
    expect(refused.headers['retry-after']).toBe(String(error.extensions.retryAfterSeconds));
    expect((await as('eve', remove(1))).status).toBe(200);
    await limited.close();
  });

  const bulk = `mutation ($ids: [ID!]!) { ...M }
    fragment M on Mutation { addTracksToLibrary(input: {tidalTrackIds: $ids}) { __typename } }`;
  const codeOf = ({ status, errors }: Answer) => [status, errors?.[0]?.extensions.code];

  test('every id of a bulk counts, through variables and fragments', async () => {
    const limited = await serverOf(library, { mutationAllowance: allowanceOf(5) });
    expect((await ask(limited, bulk, { ids: times(3, String) })).status).toBe(200);
    expect(codeOf(await ask(limited, bulk, { ids: times(3, String) }))).toEqual([429, 'RATE_LIMITED']);
    // What was refused is not counted: there are two left.
    expect((await ask(limited, remove(2))).status).toBe(200);
    expect(codeOf(await ask(limited, remove(1)))).toEqual([429, 'RATE_LIMITED']);
    await limited.close();
  });

  test('a bulk that is refused for its size counts nothing', async () => {
    const limited = await serverOf(library, { mutationAllowance: allowanceOf(5), limits: { bulkSize: 3 } });
    for (const count of [4, 6]) {
      const answer = await ask(limited, bulk, { ids: times(count, String) });
      expect(codeOf(answer)).toEqual([200, 'BAD_USER_INPUT']);
      expect(answer.errors?.[0]?.message).toBe('tidalTrackIds must have 3 ids at the most');
    }
    expect((await ask(limited, remove(5))).status).toBe(200);
    await limited.close();
  });

  test('more changes than a minute allows are refused with the limit, however long a client waits', async () => {
    const limited = await serverOf(library, { mutationAllowance: allowanceOf(5) });
    expect(codeOf(await ask(limited, remove(6)))).toEqual([400, 'BAD_USER_INPUT']);
    const answer = await limited.inject({
      method: 'POST',
      url: '/graphql',
      headers: { 'graphql-require-preflight': '1' },
      payload: { query: bulk, variables: { ids: times(6, String) } },
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['retry-after']).toBeUndefined();
    expect(answer.json()).toMatchObject({
      data: null,
      errors: [
        {
          message:
            'These are 6 additions and removals, and a user may make 5 in a minute. Make fewer at a time.',
          extensions: { code: 'BAD_USER_INPUT', actual: 6, limit: 5 },
        },
      ],
    });
    expect((await ask(limited, remove(5))).status).toBe(200);
    await limited.close();
  });
});
