import type { Catalogue } from '@segue/stand-ins/tidal/catalogue.ts';
import { startTidal, type TidalStandIn } from '@segue/stand-ins/tidal/server.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { startProcess } from '@segue/testing/process.ts';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';

const database = useDatabase();
const albumId = '600000';
const isrcs = Array.from({ length: 120 }, (_, index) => `XXLNG26${String(index + 1).padStart(5, '0')}`);
const patience = { timeoutMs: 50_000 };

const catalogue: Catalogue = {
  artists: [{ id: '1', name: 'The Examples' }],
  albums: [
    {
      id: albumId,
      title: 'A Hundred and Twenty',
      albumType: 'ALBUM',
      barcodeId: '0001',
      releaseDate: '2017-06-30',
      copyright: '℗ 2017',
      artistIds: ['1'],
      items: isrcs.map((_, index) => ({
        type: 'tracks',
        id: String(600_001 + index),
        volumeNumber: 1,
        trackNumber: index + 1,
      })),
    },
  ],
  tracks: isrcs.map((isrc, index) => ({
    id: String(600_001 + index),
    title: `Song ${index + 1}`,
    isrc,
    seconds: 180,
    artistIds: ['1'],
    albumIds: [albumId],
  })),
  videos: [],
};

let tidal: TidalStandIn;
beforeAll(async () => {
  tidal = await startTidal({ catalogue });
});
afterAll(() => tidal.close());
beforeEach(async () => {
  tidal.answerWith(null);
  await database.sql`TRUNCATE library_albums, catalog_pending, ingestion_outbox, album_ingestion_batches`;
});

/** An API process that has a second to ask TIDAL, two requests in it. */
async function startApi() {
  const api = await startProcess('apps/api/main.ts', {
    DATABASE_URL: database.url,
    API_PORT: '0',
    API_CATALOG_BUDGET_MS: '1000',
    TIDAL_REQUESTS_PER_SECOND: '2',
    TIDAL_API_URL: tidal.apiUrl,
    TIDAL_AUTH_URL: tidal.authUrl,
    TIDAL_CLIENT_ID: tidal.clientId,
    TIDAL_CLIENT_SECRET: tidal.clientSecret,
  });
  onTestFinished(async () => {
    api.kill('SIGKILL');
    await api.exited;
  });
  const { address } = await api.waitForLog(line => line.address !== undefined, patience.timeoutMs);
  const ask = async (query: string) => {
    const response = await fetch(`${address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    return ((await response.json()) as { data: Record<string, unknown> }).data;
  };
  return { api, ask };
}

type Ask = Awaited<ReturnType<typeof startApi>>['ask'];
const listing = 'id trackCount tracksOwed listing trackListing { isrc }';
type Listing = {
  id: string;
  trackCount: number;
  tracksOwed: number;
  listing: string;
  trackListing: { isrc: string }[];
};

const add = async (ask: Ask) =>
  (
    await ask(
      `mutation { addAlbumToLibrary(input: {tidalAlbumId: "${albumId}"}) { ... on LibraryAlbum { ${listing} } } }`,
    )
  ).addAlbumToLibrary as Listing;
const read = async (ask: Ask, id: string) =>
  (await ask(`{ getLibraryAlbum(id: "${id}") { ${listing} } }`)).getLibraryAlbum as Listing;

async function expectWhole(ask: Ask, id: string): Promise<void> {
  await eventually(
    async () => expect(await read(ask, id)).toMatchObject({ listing: 'COMPLETE', tracksOwed: 0 }),
    patience,
  );
  expect((await read(ask, id)).trackListing.map(({ isrc }) => isrc)).toEqual(isrcs);
  const requested = await database.sql<{ isrc: string }[]>`SELECT isrc FROM ingestion_outbox ORDER BY isrc`;
  expect(requested.map(({ isrc }) => isrc)).toEqual(isrcs);
}

test('an album that TIDAL is too slow for is answered with what there is, and completed, each recording requested once', async () => {
  const { ask } = await startApi();
  const album = await add(ask);
  expect(album).toMatchObject({ listing: 'COMPLETING', trackCount: 120 });
  expect(album.tracksOwed).toBe(120 - album.trackListing.length);
  await expectWhole(ask, album.id);
});

test('a process that gets SIGTERM hands back the album that it completes, and another goes on', async () => {
  const { api, ask } = await startApi();
  const { id } = await add(ask);
  tidal.answerWith(({ url }) => (url.includes('/items') ? 'hang' : undefined));
  const pending = () => database.sql`SELECT lease IS NOT NULL AS leased, attempts FROM catalog_pending`;
  await eventually(async () => expect(await pending()).toEqual([{ leased: true, attempts: 0 }]), patience);
  api.kill('SIGTERM');
  expect(await api.exited).toEqual({ code: 0, signal: null });
  expect(await pending()).toEqual([{ leased: false, attempts: 0 }]);

  tidal.answerWith(null);
  const successor = await startApi();
  await expectWhole(successor.ask, id);
});
