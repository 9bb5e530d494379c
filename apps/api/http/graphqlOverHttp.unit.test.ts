import { listen } from '@segue/http/listen.ts';
import type { FastifyInstance } from 'fastify';
import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IngestionScheduler } from '../ingestion/ingestionScheduler.ts';
import { fakeCatalog } from '../test/catalog.ts';
import { loggerInMemory } from '../test/logger.ts';
import { serverOf } from '../test/server.ts';

let server: FastifyInstance;
let url: string;
beforeAll(async () => {
  const { logger } = loggerInMemory();
  const scheduler = new IngestionScheduler({ hint: { give() {} }, logger });
  // No request below gets as far as the database.
  server = await serverOf({ database: {} as never, catalog: fakeCatalog(), scheduler, logger });
  url = `${await listen(server, { variables: 'API', host: '127.0.0.1', port: 0 })}/graphql`;
});
afterAll(async () => {
  await server.close();
});

describe('the audits of graphql-http', () => {
  /** A GET needs a header that a page of another site cannot send (docs/graphql.md). */
  const fetchFn = (input: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if ((init.method ?? 'GET') === 'GET') headers.set('graphql-require-preflight', '1');
    return fetch(input, { ...init, headers });
  };
  const audits = serverAudits({ url: () => url, fetchFn });

  test('there are some of each kind', () => {
    for (const kind of ['MUST', 'SHOULD', 'MAY']) {
      expect(audits.filter(({ name }) => name.startsWith(`${kind} `)).length).toBeGreaterThan(10);
    }
  });

  test.each(audits.map(({ id, name, fn }) => ({ id, name, fn })))('$id: $name', async ({ fn }) => {
    const result = await fn();
    expect(result.status === 'ok' ? 'ok' : result.reason).toBe('ok');
  });
});

const query = '{"query":"{__typename}"}';
const post = (headers: Record<string, string>, payload = query) =>
  server.inject({ method: 'POST', url: '/graphql', headers, payload });
const answered = { data: { __typename: 'Query' } };

test.each([
  ['application/json', query],
  ['Application/JSON', query],
  ['APPLICATION/JSON; Charset=UTF-8', query],
  ['application/json;charset="utf-8"', query],
  ['application/json; charset=utf8', query],
  ['Application/GraphQL', '{ __typename }'],
])('a body of the type %s is read', async (type, payload) => {
  const answer = await post({ 'content-type': type }, payload);
  expect([answer.statusCode, answer.json()]).toEqual([200, answered]);
  const unencoded = await post({ 'content-type': type, 'content-encoding': 'Identity' }, payload);
  expect(unencoded.statusCode).toBe(200);
});

test.each([
  { 'content-type': 'application/json; charset=latin1' },
  { 'content-type': 'application/json; charset=utf-16' },
  { 'content-type': 'application/json;CHARSET="iso-8859-1"' },
  { 'content-type': 'application/json; charset=utf-8; charset=latin1' },
  { 'content-type': 'application/json; charset=' },
  { 'content-type': 'application/graphql; charset=latin1' },
  { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  { 'content-type': 'application/json', 'content-encoding': 'identity, br' },
  { 'content-type': 'application/json', 'content-encoding': '' },
])('%j is 415', async headers => {
  const answer = await post(headers);
  expect([answer.statusCode, answer.json()]).toMatchObject([
    415,
    { data: null, errors: [{ extensions: { code: 'BAD_REQUEST' } }] },
  ]);
});

describe('the type of the answer', () => {
  const json = { 'content-type': 'application/json' };
  const typeFor = async (accept: string) => {
    const { headers } = await post({ ...json, accept });
    return String(headers['content-type']).split(';')[0];
  };

  test.each([
    ['application/graphql-response+json', 'application/graphql-response+json'],
    ['Application/GraphQL-Response+JSON; charset=utf-8', 'application/graphql-response+json'],
    ['application/graphql-response+json, application/json;q=0.9', 'application/graphql-response+json'],
    ['application/json, application/graphql-response+json', 'application/graphql-response+json'],
    ['application/graphql-response+json;q=0.5, application/json', 'application/json'],
    ['application/graphql-response+json;q=0', 'application/json'],
    ['*/*', 'application/json'],
    ['application/*', 'application/json'],
    ['text/html', 'application/json'],
  ])('for %s is %s', async (accept, type) => {
    expect(await typeFor(accept)).toBe(type);
  });

  test('is the same for what is refused before GraphQL', async () => {
    const accept = 'application/graphql-response+json';
    const { statusCode, headers } = await server.inject({
      method: 'PUT',
      url: '/graphql',
      headers: { accept },
    });
    expect([statusCode, headers['content-type']]).toEqual([405, `${accept}; charset=utf-8`]);
  });
});

describe('a client that names application/json alone', () => {
  const asked = (body: object, accept = 'application/json') =>
    post({ 'content-type': 'application/json', accept }, JSON.stringify(body));

  test.each([
    ['a syntax error', { query: '{' }],
    ['an unknown field', { query: '{ nothing }' }],
    ['a wrong variable', { query: 'query ($id: ID!) { getLibraryTrack(id: $id) { id } }', variables: {} }],
  ])('is told of %s with 200, and others with 400', async (_, body) => {
    const answer = await asked(body);
    expect([answer.statusCode, answer.json()]).toMatchObject([200, { data: null, errors: [{}] }]);
    expect((await asked(body, '*/*')).statusCode).toBe(400);
  });

  test('is told of what this API refuses with the status of the refusal', async () => {
    expect((await asked({ query: 'query A { __typename }', operationName: 'B' })).statusCode).toBe(400);
    const aliases = Array.from({ length: 40 }, (_, at) => `a${at}: __typename`).join(' ');
    expect((await asked({ query: `{ ${aliases} }` })).statusCode).toBe(400);
    expect((await asked({ query: '{ __typename }', variables: 7 })).statusCode).toBe(400);
    expect((await asked({ query: '{ __typename }'.padEnd(200_000) })).statusCode).toBe(413);
  });
});
