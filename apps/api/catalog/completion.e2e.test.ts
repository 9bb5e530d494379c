import type { Catalogue } from '@segue/stand-ins/tidal/catalogue.ts';
import { startTidal, type TidalStandIn } from '@segue/stand-ins/tidal/server.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { startProcess } from '@segue/testing/process.ts';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';

const database = useDatabase();
const patience = { timeoutMs: 50_000 };

/** An album, and the ISRCs of its tracks in their order. */
type Wanted = { id: string; isrcs: string[] };

/** @param number of the album, up to 99 */
const wantedOf = (number: number, length: number): Wanted => ({
  id: String(600_000 + 1_000 * number),
  isrcs: Array.from({ length }, (_, n) => `XXLNG26${String(1_000 * number + n + 1).padStart(5, '0')}`),
});
const long = wantedOf(0, 120);
const thirty = Array.from({ length: 30 }, (_, n) => wantedOf(n + 1, 30));

const trackId = (album: Wanted, index: number) => String(Number(album.id) + index + 1);
const catalogue: Catalogue = {
  artists: [{ id: '1', name: 'The Examples' }],
  albums: [long, ...thirty].map(album => ({
    id: album.id,
    title: `The Album ${album.id}`,
    albumType: 'ALBUM',
    barcodeId: album.id,
    releaseDate: '2017-06-30',
    copyright: '℗ 2017',
    artistIds: ['1'],
    items: album.isrcs.map((_, index) => ({
      type: 'tracks',
      id: trackId(album, index),
      volumeNumber: 1,
      trackNumber: index + 1,
    })),
  })),
  tracks: [long, ...thirty].flatMap(album =>
    album.isrcs.map((isrc, index) => ({
      id: trackId(album, index),
      title: `Song ${index + 1}`,
      isrc,
      seconds: 180,
      artistIds: ['1'],
      albumIds: [album.id],
    })),
  ),
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

/** @param given how long an addition may ask TIDAL, in ms, and how often a second all may together */
async function startApi({ budgetMs = 1_000, perSecond = 2 } = {}) {
  const api = await startProcess('apps/api/main.ts', {
    DATABASE_URL: database.url,
    API_PORT: '0',
    API_CATALOG_BUDGET_MS: String(budgetMs),
    TIDAL_REQUESTS_PER_SECOND: String(perSecond),
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

const add = async (ask: Ask, { id }: Wanted) =>
  (
    await ask(
      `mutation { addAlbumToLibrary(input: {tidalAlbumId: "${id}"}) { ... on LibraryAlbum { ${listing} } } }`,
    )
  ).addAlbumToLibrary as Listing;
const read = async (ask: Ask, id: string) =>
  (await ask(`{ getLibraryAlbum(id: "${id}") { ${listing} } }`)).getLibraryAlbum as Listing;

/** @param id of the library's album */
async function expectWhole(ask: Ask, id: string, { isrcs }: Wanted): Promise<void> {
  await eventually(
    async () => expect(await read(ask, id)).toMatchObject({ listing: 'COMPLETE', tracksOwed: 0 }),
    patience,
  );
  expect((await read(ask, id)).trackListing.map(({ isrc }) => isrc)).toEqual(isrcs);
}

async function expectRequestedOnce(isrcs: string[]): Promise<void> {
  const requested = await database.sql<{ isrc: string }[]>`SELECT isrc FROM ingestion_outbox ORDER BY isrc`;
  expect(requested.map(({ isrc }) => isrc)).toEqual(isrcs.toSorted());
}

test('an album that TIDAL is too slow for is answered with what there is, and completed, each recording requested once', async () => {
  const { ask } = await startApi();
  const album = await add(ask, long);
  expect(album).toMatchObject({ listing: 'COMPLETING', trackCount: 120 });
  expect(album.tracksOwed).toBe(120 - album.trackListing.length);
  await expectWhole(ask, album.id, long);
  await expectRequestedOnce(long.isrcs);
});

test('thirty people who add an album each at once are answered, and have thirty whole albums', async () => {
  // Two thirds of what they need within the time that an addition has, as at the public API's pace.
  const { ask } = await startApi({ budgetMs: 2_000, perSecond: 40 });
  const albums = await Promise.all(thirty.map(wanted => add(ask, wanted)));
  expect(albums.filter(({ listing }) => listing === 'COMPLETING')).not.toEqual([]);
  await Promise.all(albums.map(({ id }, n) => expectWhole(ask, id, thirty[n] as Wanted)));
  await expectRequestedOnce(thirty.flatMap(({ isrcs }) => isrcs));
});

test('a process that gets SIGTERM hands back the album that it completes, and another goes on', async () => {
  const { api, ask } = await startApi();
  const { id } = await add(ask, long);
  tidal.answerWith(({ url }) => (url.includes('/items') ? 'hang' : undefined));
  const pending = () => database.sql`SELECT lease IS NOT NULL AS leased, attempts FROM catalog_pending`;
  await eventually(async () => expect(await pending()).toEqual([{ leased: true, attempts: 0 }]), patience);
  api.kill('SIGTERM');
  expect(await api.exited).toEqual({ code: 0, signal: null });
  expect(await pending()).toEqual([{ leased: false, attempts: 0 }]);

  tidal.answerWith(null);
  const successor = await startApi();
  await expectWhole(successor.ask, id, long);
  await expectRequestedOnce(long.isrcs);
});
