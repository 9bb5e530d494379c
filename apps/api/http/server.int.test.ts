import { listen } from '@segue/http/listen.ts';
import { expect, test } from 'vitest';
import { ask } from '../test/ask.ts';
import { catalogTrack, fakeCatalog } from '../test/catalog.ts';
import { useLibrary } from '../test/library.ts';
import { serverOf } from '../test/server.ts';

const here = useLibrary();

test('the server is ready when its database answers', async () => {
  const server = await serverOf(here.libraryWith());
  const readiness = await server.inject('/readyz');
  await server.close();
  expect([readiness.statusCode, readiness.json()]).toMatchObject([200, { status: 'ready', database: 'ok' }]);
});

test('closing takes no more requests, and answers the one in hand', async () => {
  const track = catalogTrack();
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const getTrack = async () => {
    asked.resolve();
    await answer.promise;
    return track;
  };
  const server = await serverOf(here.libraryWith({ ...fakeCatalog(), getTrack }));
  const url = await listen(server, { variables: 'API', host: '127.0.0.1', port: 0 });
  const query = 'mutation { addTrackToLibrary(input: {tidalTrackId: 1}) { __typename } }';
  const inHand = fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  await asked.promise;

  const closed = server.close();
  const late = await fetch(`${url}/livez`).catch(() => null);
  expect([undefined, 503]).toContain(late?.status);
  answer.resolve();

  const response = await inHand;
  expect(await response.json()).toEqual({ data: { addTrackToLibrary: { __typename: 'LibraryTrack' } } });
  // A connection that is kept alive would be waited for.
  expect(response.headers.get('connection')).toBe('close');
  await closed;
});

test('a request that waits too long is given up, and says so', async () => {
  const server = await serverOf(here.libraryWith(), { limits: { requestTimeoutMs: 40 } });
  await here.sql.begin(async sql => {
    await sql`LOCK library_tracks`;
    expect(await ask(server, '{ getLibraryTracks { id } }')).toMatchObject({
      status: 200,
      errors: [{ path: ['getLibraryTracks'], extensions: { code: 'REQUEST_TIMEOUT' } }],
    });
  });
  await server.close();
});
