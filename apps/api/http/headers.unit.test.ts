import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IngestionScheduler } from '../ingestion/ingestionScheduler.ts';
import { fakeCatalog } from '../test/catalog.ts';
import { loggerInMemory } from '../test/logger.ts';
import { serverOf } from '../test/server.ts';

const { logger } = loggerInMemory();
const scheduler = new IngestionScheduler({ hint: { give() {} }, logger });
// None of the requests below gets as far as the database.
const library = { database: {} as never, catalog: fakeCatalog(), scheduler, logger };
const friend = 'https://app.example.com';

let server: FastifyInstance;
let inProduction: FastifyInstance;
beforeAll(async () => {
  server = await serverOf(library, { allowedOrigins: [friend] });
  inProduction = await serverOf(library, { explorable: false });
});
afterAll(async () => {
  await Promise.all([server.close(), inProduction.close()]);
});

const json = { 'content-type': 'application/json' };
const query = JSON.stringify({ query: '{ __typename }' });
const post = (headers: Record<string, string>, payload: string = query) =>
  server.inject({ method: 'POST', url: '/graphql', headers, payload });

describe('a page of another site can make no request of itself', () => {
  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'as %s',
    async type => {
      const response = await post({ 'content-type': type });
      expect(response.statusCode).toBe(type === 'text/plain' ? 400 : response.statusCode);
      expect([400, 415]).toContain(response.statusCode);
      expect(response.body).not.toContain('__typename');
    },
  );

  test('as GET, unless with a header that the browser asks about first', async () => {
    const url = '/graphql?query={__typename}';
    expect((await server.inject(url)).statusCode).toBe(400);
    for (const header of ['graphql-require-preflight', 'apollo-require-preflight', 'authorization']) {
      expect((await server.inject({ url, headers: { [header]: 'x' } })).statusCode).toBe(200);
    }
  });
});

describe('other sites', () => {
  const preflight = (origin: string) =>
    server.inject({
      method: 'OPTIONS',
      url: '/graphql',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      },
    });

  test('that are on the list may ask', async () => {
    const { headers, statusCode } = await preflight(friend);
    expect(statusCode).toBe(204);
    expect(headers['access-control-allow-origin']).toBe(friend);
    for (const header of ['authorization', 'content-type', 'graphql-require-preflight']) {
      expect(headers['access-control-allow-headers']).toContain(header);
    }
    expect((await post({ ...json, origin: friend })).headers['access-control-allow-origin']).toBe(friend);
  });

  test.each([
    'https://evil.example.com',
    'https://app.example.com.evil.com',
    'null',
    'http://app.example.com',
  ])('%s may not', async origin => {
    expect((await preflight(origin)).headers['access-control-allow-origin']).toBeUndefined();
    expect((await post({ ...json, origin })).headers['access-control-allow-origin']).toBeUndefined();
  });

  test('none may when none is listed', async () => {
    const response = await inProduction.inject({ url: '/livez', headers: { origin: friend } });
    expect(response.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('without tokens', () => {
  const url = '/graphql?query={__typename}';
  const asked = (host: string) => server.inject({ url, headers: { host, 'graphql-require-preflight': '1' } });

  test('a page that has pointed its own name here is 403', async () => {
    const answer = await asked('evil.example.com:4000');
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toMatchObject({ data: null, errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
    expect((await asked('127.0.0.1:4000')).statusCode).toBe(200);
  });
});

test('every answer tells browsers that it is no page', async () => {
  for (const response of [await post(json), await post(json, '{'), await server.inject('/nothing')]) {
    expect(response.headers).toMatchObject({
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'strict-transport-security': expect.any(String),
    });
    expect(response.headers).not.toHaveProperty('x-powered-by');
  }
});

describe('in production', () => {
  const ask = (text: string) =>
    inProduction.inject({ method: 'POST', url: '/graphql', payload: { query: text } });

  test.each(['{ __schema { types { name } } }', '{ __type(name: "Query") { name } }'])(
    'the schema is not told: %s',
    async text => {
      const response = await ask(text);
      expect(response.statusCode).toBe(400);
      expect(response.json().errors[0].message).toContain('introspection');
    },
  );

  test('nor hinted at', async () => {
    const [error] = (await ask('{ getLibraryTrack { id } }')).json().errors;
    expect(error.message).not.toContain('Did you mean');
    expect((await ask('{ __typename }')).json()).toEqual({ data: { __typename: 'Query' } });
  });

  test('there is no GraphiQL', async () => {
    expect((await inProduction.inject('/graphiql')).statusCode).toBe(404);
    expect((await inProduction.inject('/graphiql/graphiql.js')).statusCode).toBe(404);
    expect((await server.inject('/graphiql')).statusCode).toBe(200);
  });
});
