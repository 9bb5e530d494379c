import { createServer } from 'node:net';
import { hintChannel } from '@segue/outbox/hint.ts';
import { startTidal, type TidalStandIn } from '@segue/stand-ins/tidal/server.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { type RunningProcess, startProcess } from '@segue/testing/process.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from './ask.ts';

const database = useDatabase();
let tidal: TidalStandIn;
beforeAll(async () => {
  tidal = await startTidal({ clientSecret: 'hidden-secret' });
});
afterAll(async () => {
  await tidal.close();
});

const environment = () => ({
  DATABASE_URL: database.url,
  API_PORT: '0',
  TIDAL_API_URL: tidal.apiUrl,
  TIDAL_AUTH_URL: tidal.authUrl,
  TIDAL_CLIENT_ID: tidal.clientId,
  TIDAL_CLIENT_SECRET: tidal.clientSecret,
});
const startApi = (given: Record<string, string> = {}) =>
  startProcess('apps/api/main.ts', { ...environment(), ...given });

async function addressOf(api: RunningProcess): Promise<string> {
  const { address } = await api.waitForLog(line => line.address !== undefined);
  return String(address);
}

async function ask(address: string, query: string) {
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as Pick<Answer, 'data' | 'errors'>;
  return { status: response.status, data, errors };
}

const refusals = `
  ... on DuplicateLibraryItemError { existingItemId }
  ... on CatalogItemNotFoundError { tidalId }
  ... on TidalApiUnavailableError { retryable }`;

async function addTrack(address: string, id: string) {
  const answer = await ask(
    address,
    `mutation { addTrackToLibrary(input: {tidalTrackId: "${id}"}) {
      __typename ... on LibraryTrack { id title isrc ingestion { status } } ${refusals}
    } }`,
  );
  expect(answer.errors).toBeUndefined();
  return answer.data.addTrackToLibrary;
}

async function addAlbum(address: string, id: string) {
  const answer = await ask(
    address,
    `mutation { addAlbumToLibrary(input: {tidalAlbumId: "${id}"}) {
      __typename ... on LibraryAlbum { id title trackCount trackListing { isrc ingestion { status } } } ${refusals}
    } }`,
  );
  expect(answer.errors).toBeUndefined();
  return answer.data.addAlbumToLibrary;
}

describe('a running API', () => {
  let api: RunningProcess;
  let address: string;
  beforeAll(async () => {
    api = await startApi();
    address = await addressOf(api);
  });
  afterAll(async () => {
    await api.stop();
  });

  test('a person builds a library, and each recording is requested', async () => {
    // "Hello", alone and on the album "25": one recording under two ids of TIDAL.
    const track = await addTrack(address, '52986431');
    expect(track).toMatchObject({
      __typename: 'LibraryTrack',
      title: 'Hello',
      isrc: 'GBBKS1500214',
      ingestion: { status: 'PENDING' },
    });
    const album = await addAlbum(address, '53834610');
    expect(album).toMatchObject({ __typename: 'LibraryAlbum', title: '25', trackCount: 11 });
    expect(album.trackListing).toHaveLength(11);

    expect(await addTrack(address, '52986431')).toEqual({
      __typename: 'DuplicateLibraryItemError',
      existingItemId: track.id,
    });
    expect(await addAlbum(address, '53834610')).toEqual({
      __typename: 'DuplicateLibraryItemError',
      existingItemId: album.id,
    });
    expect(await addTrack(address, '404')).toEqual({
      __typename: 'CatalogItemNotFoundError',
      tidalId: '404',
    });

    const rows = await database.sql`
      SELECT isrc, title, artist, album FROM ingestion_outbox WHERE isrc LIKE 'GBBKS15%' ORDER BY id`;
    expect(rows).toHaveLength(12);
    expect(rows.slice(0, 2)).toEqual([
      { isrc: 'GBBKS1500214', title: 'Hello', artist: 'Adele', album: 'Hello' },
      { isrc: 'GBBKS1500214', title: 'Hello', artist: 'Adele', album: '25' },
    ]);
    await eventually(() => {
      expect(api.logs.filter(({ event }) => event === 'ingestion_requested')).toHaveLength(12);
    });

    await addTrack(address, '1766030');
    const page = await ask(address, '{ getLibraryTracks(first: 1) { id artistName } }');
    expect(page.data.getLibraryTracks).toMatchObject([{ artistName: 'Adele' }]);
    const next = await ask(address, `{ getLibraryTracks(after: "${track.id}") { title } }`);
    expect(next.data).toEqual({ getLibraryTracks: [{ title: 'So What' }] });

    const remove = `mutation { removeTrackFromLibrary(id: "${track.id}") }`;
    expect((await ask(address, remove)).data).toEqual({ removeTrackFromLibrary: true });
    expect((await ask(address, remove)).data).toEqual({ removeTrackFromLibrary: false });
    expect(await addTrack(address, '52986431')).toMatchObject({ __typename: 'LibraryTrack' });
  });

  test('relays are given a hint', async () => {
    const hinted = Promise.withResolvers<void>();
    const { unlisten } = await database.sql.listen(hintChannel, () => hinted.resolve());
    await addTrack(address, '1766032');
    await hinted.promise;
    await unlisten();
  });

  test('it outlives the loss of its connections', async () => {
    await database.sql`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'segue-api'`;
    await eventually(async () => {
      expect(await ask(address, '{ getLibraryAlbums { id } }')).toMatchObject({
        status: 200,
        errors: undefined,
      });
    });
    expect((await fetch(`${address}/readyz`)).status).toBe(200);
  });

  test('a listing with holes is stored as far as it goes, and what lacks is logged', async () => {
    // "Abbey Road": 17 items, of which the region offers 15; one of them comes by its id alone.
    const album = await addAlbum(address, '55130630');
    expect(album).toMatchObject({ __typename: 'LibraryAlbum', trackCount: 17 });
    expect(album.trackListing).toHaveLength(15);
    const line = await api.waitForLog(({ event }) => event === 'album_track_listing_error');
    expect(line).toMatchObject({ level: 50, total_tracks: 17, error: expect.stringContaining('15 of 17') });
  });

  test('a client is told what is wrong, and never how it looks inside', async () => {
    const malformed = await ask(address, '{ getLibraryTracks {');
    expect(malformed).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
    const noId = await ask(
      address,
      'mutation { addTrackToLibrary(input: {tidalTrackId: "x"}) { __typename } }',
    );
    expect(noId.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    const noCursor = await ask(address, '{ getLibraryAlbums(after: "x") { id } }');
    expect(noCursor.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  test('GraphiQL is there', async () => {
    const response = await fetch(`${address}/graphiql`);
    expect(response.headers.get('content-type')).toContain('text/html');
  });
});

describe.concurrent('a crash', () => {
  test.each([
    ['before_commit', '1766033', 'USSM15900116', 0],
    ['after_commit', '1766034', 'USSM15900117', 1],
    ['before_hint', '20115557', 'USQX91300101', 1],
  ])('%s leaves the track and its request, or neither (R2)', async (point, id, isrc, count) => {
    const api = await startApi({ CRASH_AT: point });
    await expect(addTrack(await addressOf(api), id)).rejects.toThrow();
    expect(await api.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await database.sql`SELECT 1 FROM library_tracks WHERE isrc = ${isrc}`).toHaveLength(count);
    expect(await database.sql`SELECT 1 FROM ingestion_outbox WHERE isrc = ${isrc}`).toHaveLength(count);
  });
});

test('wrong credentials are no fault of the client, and trying again does not help', async () => {
  await using api = await startApi({ TIDAL_CLIENT_SECRET: 'wrong-secret' });
  expect(await addTrack(await addressOf(api), '1766031')).toEqual({
    __typename: 'TidalApiUnavailableError',
    retryable: false,
  });
  expect(api.output.join('\n')).not.toContain('wrong-secret');
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it cleanly', async signal => {
  const api = await startApi();
  await addressOf(api);
  api.kill(signal);
  expect(await api.exited).toEqual({ code: 0, signal: null });
  expect(api.output.join('\n')).not.toContain('hidden-secret');
});

describe.concurrent('a start that cannot be says why in one line, and exits 1', () => {
  async function failedStart(given: Record<string, string>): Promise<string> {
    const api = await startApi(given);
    expect(await api.exited).toEqual({ code: 1, signal: null });
    expect(api.output).toHaveLength(1);
    return String(api.logs[0]?.msg);
  }

  test('a missing variable', async () => {
    expect(await failedStart({ TIDAL_CLIENT_ID: '' })).toContain('TIDAL_CLIENT_ID is not set');
  });

  test('an address that others reach, while nobody has to say who they are', async () => {
    expect(await failedStart({ API_HOST: '0.0.0.0' })).toContain('API_HOST 0.0.0.0 can be reached by others');
  });

  test('a port that is taken', async () => {
    const squatter = createServer();
    await new Promise<void>(resolve => squatter.listen(0, '127.0.0.1', resolve));
    const { port } = squatter.address() as { port: number };
    expect(await failedStart({ API_PORT: String(port) })).toContain(`API_PORT ${port} is taken`);
    await new Promise(resolve => squatter.close(resolve));
  });

  test('a database that is not there', async () => {
    const message = await failedStart({ DATABASE_URL: 'postgres://segue:hidden-secret@127.0.0.1:1/segue' });
    expect(message).toContain(
      'DATABASE_URL (segue@127.0.0.1:1/segue) cannot be reached: connect ECONNREFUSED',
    );
    expect(message).not.toContain('hidden-secret');
  });

  test('a database that refuses us', async () => {
    const url = new URL(database.url);
    url.pathname = '/nothing_of_that_name';
    expect(await failedStart({ DATABASE_URL: url.href })).toContain('"nothing_of_that_name" does not exist');
  });
});
