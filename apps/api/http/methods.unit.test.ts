import { METHODS } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IngestionScheduler } from '../ingestion/ingestionScheduler.ts';
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

const document = 'query Look { __typename } mutation Remove { removeTrackFromLibrary(id: "none") }';
const sent = (method: string, operationName: string) =>
  server.inject({
    method: method as 'GET',
    url: '/graphql',
    query: { query: document, operationName },
    headers: { 'graphql-require-preflight': '1' },
  });

const others = METHODS.filter(method => !['GET', 'POST', 'CONNECT'].includes(method));

test.each(others)('%s runs nothing and is 405', async method => {
  for (const operationName of ['Look', 'Remove']) {
    const answer = await sent(method, operationName);
    expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'GET, POST']);
    expect(answer.body).not.toContain('removeTrackFromLibrary');
  }
});

describe.each([1, 2, 3])('for the %i. time', () => {
  test('GET runs the query that is named', async () => {
    const answer = await sent('GET', 'Look');
    expect([answer.statusCode, answer.json()]).toEqual([200, { data: { __typename: 'Query' } }]);
  });

  test('GET runs no mutation', async () => {
    const answer = await sent('GET', 'Remove');
    expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'POST']);
    expect(answer.json()).toMatchObject({ data: null, errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  });
});
