import type { Fault, IncomingRequest } from '@segue/stand-ins/faults.ts';
import { startTidal, type TidalStandIn } from '@segue/stand-ins/tidal/server.ts';
import { createTidalClient } from '@segue/tidal/client.ts';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ask } from './ask.ts';
import { useLibrary } from './library.ts';
import { serverOf } from './server.ts';

const here = useLibrary();

let tidal: TidalStandIn;
let inFlight = 0;
let mostInFlight = 0;
beforeAll(async () => {
  tidal = await startTidal();
});
afterAll(async () => {
  await tidal.close();
});

/** A server with a client of TIDAL's of its own: a 429 slows down all that a client asks. */
async function newServer(): Promise<FastifyInstance> {
  const options = { countryCode: 'US', timeoutMs: 200, totalTimeoutMs: 400, maxConcurrency: 3 };
  const server = await serverOf({
    ...here.libraryWith(),
    catalog: createTidalClient({ ...tidal, ...options }),
  });
  onTestFinished(() => server.close());
  return server;
}

/** Answers what is asked about items so, and gives tokens as ever. */
function failWith(fault: Fault): void {
  tidal.answerWith(({ url }: IncomingRequest) => (url.startsWith('/v2') ? fault : undefined));
}

const unavailable = `__typename ... on TidalApiUnavailableError { retryable message }`;
const jsonApi = { 'content-type': 'application/vnd.api+json' };
const withoutTitle = JSON.stringify({ data: { id: '1766030', type: 'tracks', attributes: { isrc: 'x' } } });

const failures: [string, Fault, boolean][] = [
  ['silence', 'hang', true],
  ['a lost connection', 'reset', true],
  ['429', { status: 429, headers: { 'retry-after': '60' }, body: '{}' }, true],
  ['500', { status: 500, body: 'out of order' }, true],
  ['503 as a page', { status: 503, headers: { 'content-type': 'text/html' }, body: '<h1>Sorry</h1>' }, true],
  [
    'a page in place of JSON',
    { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
    true,
  ],
  ['truncated JSON', { status: 200, headers: jsonApi, body: '{"data": {"id": "17660' }, true],
  ['a missing field', { status: 200, headers: jsonApi, body: withoutTitle }, false],
  ['another shape', { status: 200, headers: jsonApi, body: '[1, 2]' }, false],
  ['a redirect', { status: 302, headers: { location: 'https://login.example.com' } }, false],
  ['a refusal', { status: 403, headers: jsonApi, body: '{"errors": [{"detail": "hidden detail"}]}' }, false],
  [
    'a page of an unknown address',
    { status: 404, headers: { 'content-type': 'text/html' }, body: '<html>' },
    false,
  ],
];

describe.each(failures)('TIDAL answering with %s', (_, fault, retryable) => {
  test(`is said to be unavailable, retryable: ${retryable}; the rest of the API is unharmed`, async () => {
    failWith(fault);
    const server = await newServer();
    const { status, data, errors } = await ask(
      server,
      `mutation {
        addTrackToLibrary(input: {tidalTrackId: 1766030}) { ${unavailable} }
        addAlbumToLibrary(input: {tidalAlbumId: 1766029}) { ${unavailable} }
        addTracksToLibrary(input: {tidalTrackIds: [1766030, 1766031]}) { ${unavailable} }
        addAlbumsToLibrary(input: {tidalAlbumIds: [1766029]}) { ${unavailable} }
        removeTrackFromLibrary(id: "unknown")
      }`,
    );
    const member = { __typename: 'TidalApiUnavailableError', retryable, message: expect.any(String) };
    expect([status, errors]).toEqual([200, undefined]);
    expect(data).toEqual({
      addTrackToLibrary: member,
      addAlbumToLibrary: member,
      addTracksToLibrary: [member, member],
      addAlbumsToLibrary: [member],
      removeTrackFromLibrary: false,
    });
    expect(JSON.stringify(data)).not.toMatch(/hidden|login\.example/);
    expect((await ask(server, '{ getLibraryTracks { id } }')).data).toEqual({ getLibraryTracks: [] });
    expect(await here.sql`SELECT FROM library_tracks`).toHaveLength(0);
  });
});

test('however many ask, TIDAL gets a few requests at a time; then all is well again', async () => {
  tidal.answerWith(async ({ url }) => {
    if (!url.startsWith('/v2')) return undefined;
    mostInFlight = Math.max(mostInFlight, ++inFlight);
    await new Promise(resolve => setImmediate(resolve));
    inFlight--;
    return undefined;
  });
  const server = await newServer();
  const ids = ['1766030', '1766031', '1766032', '1766033', '1766034', '52986431', '20115557'];
  const answers = await Promise.all(
    ids.map(id => ask(server, `mutation { addTrackToLibrary(input: {tidalTrackId: ${id}}) { __typename } }`)),
  );
  expect(answers.map(({ data }) => data.addTrackToLibrary.__typename)).toEqual(ids.map(() => 'LibraryTrack'));
  expect(mostInFlight).toBeLessThanOrEqual(3);
});
