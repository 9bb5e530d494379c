import { connect } from 'node:net';
import { listen } from '@segue/http/listen.ts';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { catalogTrack, fakeCatalog } from './catalog.ts';
import { faultOfAnswer, fuzzedBody, fuzzedBytes, fuzzedRequest } from './fuzzInputs.ts';
import { useLibrary } from './library.ts';
import { serverOf } from './server.ts';

/** `API_FUZZ_REQUESTS=10000 npx vitest run apps/api/test/fuzz` takes its time; a failure prints its seed. */
const requests = Number(process.env.API_FUZZ_REQUESTS ?? 600);
const third = Math.ceil(requests / 3);
const minutes = 60_000;

const here = useLibrary();
const library = () => here.libraryWith(fakeCatalog({ tracks: [catalogTrack({ tidalId: '1' })] }));

let server: FastifyInstance;
let address: string;
let lines: ReturnType<typeof library>['lines'];
beforeAll(async () => {
  const served = library();
  lines = served.lines;
  server = await serverOf(served);
  address = await listen(server, { variables: 'API', host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server.close();
});

/** Sends bytes as they are, and gives back the first line of each answer. */
function sendRaw(bytes: Buffer): Promise<string> {
  const { hostname, port } = new URL(address);
  return new Promise(resolve => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.end(bytes));
    socket.on('data', data => {
      answer += data.toString('latin1');
    });
    socket.on('error', () => resolve(answer));
    socket.on('close', () => resolve(answer));
  });
}

describe('whatever is sent, the server neither fails nor falls', () => {
  const parameters = { numRuns: third };
  const check = (status: number, text: string) => expect(faultOfAnswer(status, text)).toBeNull();

  test('queries', { timeout: 10 * minutes }, async () => {
    let executed = 0;
    await fc.assert(
      fc.asyncProperty(fuzzedBody, async payload => {
        const response = await server.inject({
          method: 'POST',
          url: '/graphql',
          headers: { 'content-type': 'application/json' },
          payload: JSON.stringify(payload),
        });
        check(response.statusCode, response.body);
        if (response.statusCode === 200) executed++;
      }),
      parameters,
    );
    // Not all of it is turned away at the door.
    expect(executed).toBeGreaterThan(third / 10);
  });

  test('requests', { timeout: 10 * minutes }, async () => {
    await fc.assert(
      fc.asyncProperty(fuzzedRequest, async ({ method, url, search, type, payload }) => {
        const response = await server.inject({
          method: method as 'GET',
          url: `${url}${url.includes('?') ? '&' : '?'}${new URLSearchParams(search)}`,
          headers: { 'content-type': type, 'graphql-require-preflight': '1', authorization: 'Bearer x' },
          payload,
        });
        check(response.statusCode, response.body);
      }),
      parameters,
    );
  });

  test('bytes', { timeout: 10 * minutes }, async () => {
    for (let sent = 0; sent < third; sent++) {
      const answer = await sendRaw(fuzzedBytes(sent));
      const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? '400';
      check(Number(status), answer);
    }
  });

  test('and it still answers, having logged no failure of its own', async () => {
    const response = await fetch(`${address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query": "{ __typename }"}',
    });
    expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
    expect(lines.filter(({ level }) => level >= 50)).toEqual([]);
  });
});
