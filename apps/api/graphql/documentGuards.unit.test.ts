import type { FastifyInstance } from 'fastify';
import { parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allowanceOf } from '../access/mutationAllowance.ts';
import { IngestionScheduler } from '../ingestion/ingestionScheduler.ts';
import { send } from '../test/ask.ts';
import { fakeCatalog } from '../test/catalog.ts';
import { loggerInMemory } from '../test/logger.ts';
import { serverOf } from '../test/server.ts';

let server: FastifyInstance;
beforeAll(async () => {
  const { logger } = loggerInMemory();
  const scheduler = new IngestionScheduler({ hint: { give() {} }, logger });
  // None of the operations below gets as far as the database.
  const library = { database: {} as never, catalog: fakeCatalog(), scheduler, logger };
  server = await serverOf(library, { mutationAllowance: allowanceOf(100) });
});
afterAll(async () => {
  await server.close();
});

const query = 'query Look { __typename } mutation Remove { removeTrackFromLibrary(id: "none") }';
const viaGet = (operationName?: string) =>
  send(server, {
    method: 'GET',
    url: '/graphql',
    query: { query, ...(operationName !== undefined && { operationName }) },
  });
const badRequest = { status: 400, data: null, errors: [{ extensions: { code: 'BAD_REQUEST' } }] };

test('of several operations the one that is named is run, however often another was', async () => {
  for (let time = 0; time < 4; time++) {
    const { data } = await send(server, { payload: { query, operationName: 'Look' } });
    expect(data).toEqual({ __typename: 'Query' });
  }
  const { data } = await send(server, { payload: { query, operationName: 'Remove' } });
  expect(data).toEqual({ removeTrackFromLibrary: false });
});

describe.each([1, 2, 3])('for the %i. time', () => {
  test.each([undefined, null, '', 'Unknown', '__proto__'])(
    'of several operations one must be named, and %j names none',
    async operationName => {
      expect(await send(server, { payload: { query, operationName } })).toMatchObject(badRequest);
    },
  );

  test.each([undefined, '', 'Unknown'])('with GET %j names none either', async operationName => {
    expect(await viaGet(operationName)).toMatchObject({
      ...badRequest,
      errors: [{ message: 'operationName must name one operation of the query.' }],
    });
  });

  test.each(['', 'Unknown'])('the one operation of a document is not called %j', async operationName => {
    const aliases = Array.from({ length: 20 }, (_, i) => `m${i}: removeTrackFromLibrary(id: "x")`).join(' ');
    for (const text of [`mutation { ${aliases} }`, `mutation M { ${aliases} }`]) {
      for (const variables of [undefined, {}, { x: 1 }]) {
        const payload = { query: text, operationName, variables };
        expect(await send(server, { payload })).toMatchObject(badRequest);
      }
    }
  });

  test('a document without an operation is refused', async () => {
    const payload = { query: 'fragment F on Query { __typename }' };
    expect(await send(server, { payload })).toMatchObject(badRequest);
  });

  test('what is in the address says nothing of a request that is sent by POST', async () => {
    const url = `/graphql?${new URLSearchParams({ query, operationName: 'Remove' })}`;
    expect(await send(server, { url, payload: { query, operationName: 'Look' } })).toEqual({
      status: 200,
      data: { __typename: 'Query' },
    });
    expect(await send(server, { url, payload: { query } })).toMatchObject(badRequest);
    const headers = { 'content-type': 'application/graphql' };
    expect(await send(server, { url, headers, payload: query })).toMatchObject(badRequest);
  });

  test.each([
    ['operationName', 'Look'],
    ['operationName', 'Remove'],
    ['query', '{ __typename }'],
  ])('GET that gives two of %s is refused', async (name, value) => {
    const search = `${new URLSearchParams({ query, operationName: 'Look' })}&${new URLSearchParams({ [name]: value })}`;
    expect(await send(server, { method: 'GET', url: `/graphql?${search}` })).toMatchObject(badRequest);
  });

  test('several requests in one are refused', async () => {
    const payload = JSON.stringify([{ query: '{ __typename }' }, { query: '{ __typename }' }]);
    const headers = { 'content-type': 'application/json' };
    expect(await send(server, { headers, payload })).toMatchObject(badRequest);
  });

  test('a query that is named by its hash is refused', async () => {
    const payload = { extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } }, persisted: true };
    expect(await send(server, { payload })).toMatchObject(badRequest);
  });
});

test('GET runs the query that is named', async () => {
  expect(await viaGet('Look')).toEqual({ status: 200, data: { __typename: 'Query' } });
});

test.each([
  '1',
  '[]',
  '{}',
  'null',
  '{"kind":"Document"}',
  JSON.stringify({ ...parse('{ __typename }'), loc: {} }),
])('JSON is no query: %s', async json => {
  const answer = await send(server, { payload: { query: json } });
  expect(answer).toMatchObject(badRequest);
  expect(answer.errors?.[0]?.message).toBe('The query is JSON, and not GraphQL.');
});
