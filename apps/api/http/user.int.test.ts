import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthenticate, keysOf } from '../access/authentication.ts';
import { type Answer, send } from '../test/ask.ts';
import { catalogAlbum, catalogListing, catalogTrack, fakeCatalog } from '../test/catalog.ts';
import { useLibrary } from '../test/library.ts';
import { serverOf } from '../test/server.ts';
import { issued, sharedSecret, startIssuer, tokenOf } from '../test/tokens.ts';

const here = useLibrary();
const track = catalogTrack();
const album = catalogAlbum();
const catalog = fakeCatalog({ tracks: [track], albums: [{ album, listing: catalogListing({}) }] });

let server: FastifyInstance;
beforeAll(async () => {
  const authenticate = createAuthenticate({ secret: sharedSecret, issuer: undefined, audience: undefined });
  server = await serverOf(here.libraryWith(catalog), { authenticate });
});
afterAll(async () => {
  await server.close();
});

async function as(sub: string, query: string, variables: object = {}): Promise<Answer> {
  const authorization = `Bearer ${await tokenOf({ sub })}`;
  return await send(server, { headers: { authorization }, payload: { query, variables } });
}

test("nobody reads, adds to or removes from another's library; a foreign id answers as an unknown one", async () => {
  const { data } = await as(
    'ada',
    `mutation {
      addTrackToLibrary(input: {tidalTrackId: ${track.tidalId}}) { ... on LibraryTrack { id } }
      addAlbumToLibrary(input: {tidalAlbumId: ${album.tidalId}}) { ... on LibraryAlbum { id } }
    }`,
  );
  const foreign = { track: data.addTrackToLibrary.id, album: data.addAlbumToLibrary.id };
  const unknown = {
    track: '00000000-0000-4000-8000-000000000000',
    album: '00000000-0000-4000-8000-000000000000',
  };
  const questions = [
    'query ($track: ID!, $album: ID!) { getLibraryTrack(id: $track) { id } getLibraryAlbum(id: $album) { id } }',
    'query ($track: String!) { getLibraryTracks(after: $track) { id } }',
    'query ($album: String!) { getLibraryAlbums(after: $album) { id } }',
    'mutation ($track: ID!, $album: ID!) { removeTrackFromLibrary(id: $track) removeAlbumFromLibrary(id: $album) }',
  ];
  for (const question of questions) {
    expect(await as('eve', question, foreign)).toEqual(await as('eve', question, unknown));
  }
  expect((await as('eve', '{ getLibraryTracks { id } getLibraryAlbums { id } }')).data).toEqual({
    getLibraryTracks: [],
    getLibraryAlbums: [],
  });
  expect((await as('ada', '{ getLibraryTracks { id } getLibraryAlbums { id } }')).data).toEqual({
    getLibraryTracks: [{ id: foreign.track }],
    getLibraryAlbums: [{ id: foreign.album }],
  });
});

test('what one user has is no duplicate for another, nor for who writes a name differently', async () => {
  for (const user of ['bob', 'Bob', ' bob', 'bob\u0301', 'local']) {
    const query = `mutation { addTrackToLibrary(input: {tidalTrackId: ${track.tidalId}}) { __typename } }`;
    expect((await as(user, query)).data).toEqual({ addTrackToLibrary: { __typename: 'LibraryTrack' } });
  }
});

describe('who does not say who they are', () => {
  const requests = {
    'a query': { method: 'POST', payload: { query: '{ __typename }' } },
    'a malformed query': { method: 'POST', payload: { query: '{' } },
    'a GET': { method: 'GET', query: { query: '{ __typename }' } },
    'no JSON': { method: 'POST', payload: '{', headers: { 'content-type': 'application/json' } },
    'what is too large': { method: 'POST', payload: { query: ' '.repeat(200_000) } },
  } as const;

  test.each(Object.entries(requests))('is told so, whatever they send: %s', async (_, request) => {
    const response = await server.inject({ url: '/graphql', ...request });
    expect(response.headers['www-authenticate']).toBe('Bearer');
    expect([response.statusCode, response.json()]).toEqual([
      401,
      {
        data: null,
        errors: [{ message: expect.any(String), extensions: { code: 'UNAUTHENTICATED' } }],
      },
    ]);
  });

  test('may ask whether the server is well', async () => {
    for (const path of ['/livez', '/readyz']) expect((await server.inject(path)).statusCode).toBe(200);
  });
});

test("keys that cannot be had are not the client's fault, and heal", async () => {
  await using issuer = await startIssuer();
  issuer.fail();
  const library = here.libraryWith(catalog);
  const checks = { jwksUrl: issuer.jwksUrl, issuer: issued.iss, audience: issued.aud };
  const keys = keysOf(checks);
  const other = await serverOf(library, { authenticate: createAuthenticate(checks, keys), keys });
  const authorization = `Bearer ${await issuer.tokenOf({ sub: 'ada' })}`;
  const request = { headers: { authorization }, payload: { query: '{ __typename }' } };
  expect(await send(other, request)).toMatchObject({
    status: 503,
    errors: [{ extensions: { code: 'AUTHENTICATION_UNAVAILABLE' } }],
  });
  expect(library.lines).toMatchObject([{ error: expect.stringContaining('AUTH_JWKS_URL') }]);
  expect(JSON.stringify(library.lines)).not.toContain(authorization.slice(-20));
  const degraded = await other.inject('/readyz');
  expect([degraded.statusCode, degraded.json()]).toMatchObject([
    200,
    {
      status: 'degraded',
      database: 'ok',
      keys: 'degraded',
      reasons: { keys: expect.stringContaining('none yet') },
    },
  ]);
  issuer.heal();
  expect((await send(other, request)).status).toBe(200);
  expect((await other.inject('/readyz')).json()).toMatchObject({
    status: 'ready',
    database: 'ok',
    keys: 'ok',
  });
  await other.close();
});
