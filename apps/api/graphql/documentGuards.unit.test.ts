import type { FastifyInstance } from 'fastify';
import { parse } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
  server = await serverOf({ database: {} as never, catalog: fakeCatalog(), scheduler, logger });
});
afterAll(async () => {
  await server.close();
});

const query = 'query Look { __typename } mutation Remove { removeTrackFromLibrary(id: "none") }';
const viaGet = (operationName?: string) =>
  send(server, { method: 'GET', url: '/graphql', query: { query, ...(operationName && { operationName }) } });

test('of several operations the one that is named is run, however often another was', async () => {
  for (let time = 0; time < 4; time++) {
    const { data } = await send(server, { payload: { query, operationName: 'Look' } });
    expect(data).toEqual({ __typename: 'Query' });
  }
  const { data } = await send(server, { payload: { query, operationName: 'Remove' } });
  expect(data).toEqual({ removeTrackFromLibrary: false });
});

test.each([undefined, 'Unknown'])(
  'of several operations one must be named, and not %s',
  async operationName => {
    const answer = await send(server, { payload: { query, operationName } });
    expect(answer).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  },
);

test.each([undefined, 'Unknown'])('nor %s with GET', async operationName => {
  expect(await viaGet(operationName)).toMatchObject({
    status: 400,
    errors: [
      {
        message: 'operationName must name one operation of the query.',
        extensions: { code: 'BAD_REQUEST' },
      },
    ],
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
  expect(answer).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  expect(answer.errors?.[0]?.message).toBe('The query is JSON, and not GraphQL.');
});
