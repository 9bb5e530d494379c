import { connect } from '@segue/database/connection.ts';
import type { FastifyInstance } from 'fastify';
import { GraphQLError } from 'graphql/index.js';
import type { MercuriusContext } from 'mercurius';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { databaseOn } from '../database.ts';
import { Refusal } from '../http/refusal.ts';
import { IngestionScheduler } from '../ingestion/ingestionScheduler.ts';
import type { Library } from '../library/library.ts';
import { ask, send } from '../test/ask.ts';
import { fakeCatalog } from '../test/catalog.ts';
import { levels, loggerInMemory } from '../test/logger.ts';
import { serverOf } from '../test/server.ts';
import { createErrorFormatter } from './errors.ts';
import { QueryRefusal } from './queryRefusal.ts';

const { logger, lines } = loggerInMemory();
/** Nothing listens on port 1. */
const away = databaseOn(
  connect({ url: 'postgres://segue:hidden-secret@127.0.0.1:1/segue', applicationName: 'test', max: 10 }),
);
const catalog = fakeCatalog();
const library: Library = {
  database: away,
  catalog,
  scheduler: new IngestionScheduler({ hint: { give() {} }, logger }),
  logger,
};

let server: FastifyInstance;
beforeAll(async () => {
  server = await serverOf(library);
});
afterAll(async () => {
  await server.close();
  await away.sql.end({ timeout: 1 });
});

/** A query that was seen before comes from a cache: all must answer alike. */
const times = [1, 2, 3];

describe.each(times)('asked for the %i. time', () => {
  test('malformed GraphQL is answered with what the parser says', async () => {
    expect(await ask(server, '{ getLibraryTracks { id ')).toEqual({
      status: 400,
      data: null,
      errors: [
        {
          message: 'Syntax Error: Expected Name, found <EOF>.',
          locations: [{ line: 1, column: 25 }],
          extensions: { code: 'BAD_REQUEST' },
        },
      ],
    });
  });

  test('each field that is unknown is named', async () => {
    const { status, errors } = await ask(server, '{ getLibraryTracks { nothing nowhere } }');
    expect(status).toBe(400);
    expect(errors).toMatchObject([
      {
        message: 'Cannot query field "nothing" on type "LibraryTrack".',
        extensions: { code: 'BAD_REQUEST' },
      },
      {
        message: 'Cannot query field "nowhere" on type "LibraryTrack".',
        extensions: { code: 'BAD_REQUEST' },
      },
    ]);
  });

  test.each([
    ['of the wrong type', { first: 'many' }, 'got invalid value "many"'],
    ['missing', {}, 'was not provided'],
  ])('a variable that is %s is named', async (_, variables, problem) => {
    const query = 'query ($first: Int!) { getLibraryTracks(first: $first) { id } }';
    const { status, errors } = await ask(server, query, variables);
    expect(status).toBe(400);
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_REQUEST' } }]);
    expect(errors?.[0]?.message).toContain('"$first"');
    expect(errors?.[0]?.message).toContain(problem);
  });

  test.each([
    ['addTrackToLibrary(input: {tidalTrackId: "12a"}) { __typename }', 'tidalTrackId must be 1 to 20 digits'],
    ['addAlbumToLibrary(input: {tidalAlbumId: ""}) { __typename }', 'tidalAlbumId must be 1 to 20 digits'],
  ])('%s is a clear input error, and nobody is asked', async (mutation, message) => {
    const { status, errors } = await ask(server, `mutation { ${mutation} }`);
    expect(status).toBe(200);
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(errors?.[0]?.message).toContain(message);
    expect(catalog.asked).toEqual([]);
  });

  test.each([
    ['an argument', 'query ($id: ID = "1") { getLibraryTrack(id: $id) { id } }', 'must not be null'],
    [
      'a field of an input',
      'mutation ($id: ID = "1") { addTrackToLibrary(input: {tidalTrackId: $id}) { __typename } }',
      'has invalid value',
    ],
    [
      'a member of a list',
      'mutation ($id: ID = "1") { addTracksToLibrary(input: {tidalTrackIds: [$id]}) { __typename } }',
      'has invalid value',
    ],
  ])('null for %s that has a default is a clear input error', async (_, query, message) => {
    for (let time = 1; time <= 2; time++) {
      const { status, errors } = await ask(server, query, { id: null });
      expect(status).toBe(200);
      expect(errors).toMatchObject([{ path: [expect.any(String)], extensions: { code: 'BAD_USER_INPUT' } }]);
      expect(errors?.[0]?.message).toContain(message);
    }
  });

  test.each(['9007199254740993', '12345678901234567890', '-9007199254740993', '1e21'])(
    'the JSON number %s as an id is refused, since it was rounded',
    async number => {
      const query = 'mutation ($id: ID!) { addTrackToLibrary(input: {tidalTrackId: $id}) { __typename } }';
      const payload = `{"query": ${JSON.stringify(query)}, "variables": {"id": ${number}}}`;
      const { errors } = await send(server, { payload, headers: { 'content-type': 'application/json' } });
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
      expect(errors?.[0]?.message).toContain('tidalTrackId must be 1 to 20 digits');
      expect(catalog.asked).toEqual([]);
    },
  );

  test.each(['first: 0', 'first: 201'])('a page of %s is a clear input error', async page => {
    expect((await ask(server, `{ getLibraryTracks(${page}) { id } }`)).errors).toMatchObject([
      { message: 'first must be from 1 to 200', extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });

  test('a database that is away is said to be, without what was asked of it', async () => {
    lines.length = 0;
    const answer = await ask(server, '{ getLibraryTracks { id } }');
    expect(answer).toEqual({
      status: 200,
      data: null,
      errors: [
        {
          message: 'The library cannot be reached right now. Please try again in a moment.',
          locations: [{ line: 1, column: 3 }],
          path: ['getLibraryTracks'],
          extensions: { code: 'DATABASE_UNAVAILABLE' },
        },
      ],
    });
    expect(lines).toMatchObject([{ level: levels.error, msg: 'the database is unavailable' }]);
    expect(JSON.stringify(lines)).toContain('ECONNREFUSED');
    expect(JSON.stringify(lines)).not.toContain('hidden-secret');
  });
});

test.each([
  ['1766030', {}],
  ['12345678901234567890', {}],
  ['$id', { id: 1766030 }],
  ['$id', { id: Number.MAX_SAFE_INTEGER }],
])('an id may be given as a number: %s %j', async (id, variables) => {
  const query = `mutation ${id === '$id' ? '($id: ID!)' : ''} {
    addTrackToLibrary(input: {tidalTrackId: ${id}}) { __typename }
  }`;
  const { errors } = await ask(server, query, variables);
  expect(errors).toMatchObject([{ extensions: { code: 'DATABASE_UNAVAILABLE' } }]);
});

test.each([1.5, true, ['1'], {}])('an id of the wrong type is refused: %j', async id => {
  const query = 'query ($id: ID!) { getLibraryTrack(id: $id) { id } }';
  const { status, errors } = await ask(server, query, { id });
  expect(status).toBe(400);
  expect(errors?.[0]?.message).toContain('ID cannot represent');
});

describe('a request that is none', () => {
  const json = { 'content-type': 'application/json' };
  test.each([
    ['no body', {}, 400, 'body must be object'],
    ['an empty object', { payload: {} }, 400, 'The request has no "query".'],
    ['a list', { payload: [] }, 400, 'body must be object'],
    ['what is no JSON', { payload: '{', headers: json }, 400, 'not valid JSON'],
    ['a query that is no text', { payload: { query: 1 } }, 400, 'The query is JSON'],
    [
      'a form',
      { payload: 'query=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      '',
    ],
    ['more than 1 MiB', { payload: { query: ' '.repeat(1024 * 1024) } }, 413, 'too large'],
    ['a mutation by GET', { method: 'GET', url: '/graphql?query=mutation{__typename}' }, 405, 'GET'],
    ['a malformed GET', { method: 'GET', url: '/graphql?query={' }, 400, 'Syntax Error'],
    ['a GET without a query', { method: 'GET' }, 400, 'The request has no "query".'],
  ] as const)('%s', async (_, request, status, message) => {
    const answer = await send(server, request);
    expect(answer).toMatchObject({ status, errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
    expect(answer.errors?.[0]?.message).toContain(message);
  });
});

test('what nobody expected is told by an id alone, under which the log has the rest', async () => {
  const broken = () => Promise.reject(new TypeError('hidden-secret is not a function'));
  const brokenServer = await serverOf({
    ...library,
    database: { ...away, sql: { unsafe: broken } as never },
  });
  lines.length = 0;

  const answer = await ask(
    brokenServer,
    'mutation { addTrackToLibrary(input: {tidalTrackId: 1}) { __typename } }',
  );
  await brokenServer.close();

  const requestId = answer.errors?.[0]?.extensions.requestId;
  expect(requestId).toMatch(/^[\da-f-]{36}$/);
  expect(answer).toEqual({
    status: 200,
    data: null,
    errors: [
      {
        message: `Something went wrong on our side. Please quote ${requestId} when you report it.`,
        locations: [{ line: 1, column: 12 }],
        path: ['addTrackToLibrary'],
        extensions: { code: 'INTERNAL_SERVER_ERROR', requestId },
      },
    ],
  });
  expect(lines).toMatchObject([
    { level: levels.error, requestId, error: 'hidden-secret is not a function', stack: expect.any(String) },
  ]);
});

test('the server is alive without its database, and not ready', async () => {
  expect((await server.inject('/livez')).statusCode).toBe(200);
  const readiness = await server.inject('/readyz');
  expect(readiness.statusCode).toBe(503);
  const since = { database: expect.any(String) };
  expect(readiness.json()).toEqual({ status: 'waiting', database: 'unavailable', since });
});

describe('what a query failed with', () => {
  const reply = { request: { id: '7' }, header() {} };
  const formatted = (...errors: GraphQLError[]) =>
    createErrorFormatter(logger)({ errors }, { reply } as unknown as MercuriusContext);

  test('a refusal before fields are resolved is answered with its own status', () => {
    const originalError = new Refusal('REQUEST_TIMEOUT', 503, 'late');
    expect(formatted(new GraphQLError('late', { originalError }))).toEqual({
      statusCode: 503,
      response: { data: null, errors: [{ message: 'late', extensions: { code: 'REQUEST_TIMEOUT' } }] },
    });
  });

  test('a refusal of the whole query is answered as one error, however many fields it is the cause of', () => {
    const originalError = new QueryRefusal('RATE_LIMITED', 429, 'wait', { retryAfterSeconds: 1 });
    const errors = [1, 2].map(place => new GraphQLError('wait', { originalError, path: ['a', place] }));
    expect(formatted(...errors)).toEqual({
      statusCode: 429,
      response: {
        data: null,
        errors: [{ message: 'wait', extensions: { code: 'RATE_LIMITED', retryAfterSeconds: 1 } }],
      },
    });
  });

  test('a failure that many fields share is logged once', () => {
    lines.length = 0;
    const originalError = new Error('broken');
    const errors = [1, 2, 3].map(place => new GraphQLError('broken', { originalError, path: ['a', place] }));
    expect(formatted(...errors).response.errors).toHaveLength(3);
    expect(lines.map(({ event }) => event)).toEqual(['request_failed']);
  });
});
