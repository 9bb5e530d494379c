import { eventId, ingestionRequested } from '@segue/ingestion/event.ts';
import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import { startInngest } from '@segue/stand-ins/inngest/server.ts';
import { startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import { sampleCatalogue } from '@segue/stand-ins/tidal/sampleCatalogue.ts';
import { startTidal } from '@segue/stand-ins/tidal/server.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { startProcess } from '@segue/testing/process.ts';
import { ensureCollection } from '@segue/track-index/collection.ts';
import { connectToIndex } from '@segue/track-index/connect.ts';
import { expect, test } from 'vitest';
import { libraryApiAt } from '../tour/libraryApi.ts';

const database = useDatabase();

const hamiltonId = '51584178';
const hamilton = sampleCatalogue.tracks.filter(track => track.albumIds.includes(hamiltonId));
const isrcs = hamilton.map(({ isrc = '' }) => isrc);
const [sentBefore = ''] = isrcs;
const indexedBefore = hamilton.slice(10, 15).map(({ isrc = '', title }) => ({ isrc, title }));

test('an album beside what was sent and indexed before goes out once, as a person would try it', async () => {
  await using stack = new AsyncDisposableStack();
  const [tidal, qdrant, inngest] = await Promise.all([startTidal(), startQdrant(), startInngest()]);
  for (const standIn of [tidal, qdrant, inngest]) stack.defer(standIn.close);
  const connection = connectToIndex({ url: qdrant.url, collection: 'tracks', timeoutMs: 10_000 });
  await ensureCollection(connection);
  const environment = {
    DATABASE_URL: database.url,
    TIDAL_API_URL: tidal.apiUrl,
    TIDAL_AUTH_URL: tidal.authUrl,
    TIDAL_CLIENT_ID: tidal.clientId,
    TIDAL_CLIENT_SECRET: tidal.clientSecret,
    QDRANT_URL: qdrant.url,
    INNGEST_DEV: inngest.url,
    API_PORT: '0',
    RELAY_PORT: '0',
  };
  const api = stack.use(await startProcess('apps/api/main.ts', environment));
  const { address } = await api.waitForLog(line => line.address !== undefined);
  const library = libraryApiAt(String(address), new AbortController().signal);
  const startRelay = () => startProcess('apps/relay/main.ts', environment);
  // A relay that has just been started takes seconds on a busy machine.
  const untilSettled = () =>
    eventually(
      async () => {
        const open = await database.sql`SELECT FROM ingestion_outbox WHERE settled_at IS NULL`;
        expect(open).toHaveLength(0);
      },
      { timeoutMs: 30_000 },
    );
  const outcomesOf = async () =>
    await database.sql`
      SELECT status, reason, count(*)::int AS count FROM ingestion_outbox
      WHERE album_batch_id = (SELECT max(album_batch_id) FROM ingestion_outbox)
      GROUP BY 1, 2 ORDER BY 3 DESC`;

  // One is sent before, by its own addition, and five are in the index.
  const firstRelay = await startRelay();
  await library.addTrack(hamilton[0]?.id as string);
  await untilSettled();
  expect(inngest.events().map(event => event.id)).toEqual([eventId(sentBefore, 1)]);
  const points = indexedBefore.map(({ isrc }) => ({ id: hashIsrcToUuid(isrc), vector: {} }));
  await connection.call(client => client.upsert('tracks', { points }));

  // The relay is stopped, the album added. Starting it delivers what waited.
  expect(await firstRelay.stop()).toEqual({ code: 0, signal: null });
  const album = await library.addAlbum(hamiltonId);
  expect(album.__typename).toBe('LibraryAlbum');
  expect(inngest.events()).toHaveLength(1);
  const secondRelay = stack.use(await startRelay());
  await untilSettled();
  expect(await outcomesOf()).toEqual([
    { status: 'scheduled', reason: null, count: 40 },
    { status: 'skipped', reason: 'already_indexed', count: 5 },
    { status: 'skipped', reason: 'duplicate', count: 1 },
  ]);

  // One event per recording that was left, and each as the contract has it.
  const events = inngest.events().slice(1);
  const wanted = isrcs.filter(isrc => isrc !== sentBefore && !indexedBefore.some(each => each.isrc === isrc));
  expect(wanted).toHaveLength(40);
  expect(events.map(event => event.id).sort()).toEqual(wanted.map(isrc => eventId(isrc, 1)).sort());
  expect(events.every(event => event.startedRun && event.name === ingestionRequested)).toBe(true);
  expect(events.find(event => event.data?.isrc === isrcs[1])?.data).toEqual({
    isrc: isrcs[1],
    title: 'Aaron Burr, Sir',
    artist: 'Original Broadway Cast of Hamilton',
    album: 'Hamilton (Original Broadway Cast Recording)',
    artworkUrl: expect.stringMatching(/^https:\/\//),
    priority: 0,
    force: false,
  });

  // A second user adds the same album: the first one's becomes somebody else's.
  await database.sql`UPDATE library_albums SET user_id = 'somebody else'`;
  expect((await library.addAlbum(hamiltonId)).__typename).toBe('LibraryAlbum');
  await secondRelay.waitForLog(
    line => line.event === 'album_ingestion_batch' && line.scheduled_count === 0 && line.skipped_count === 46,
  );
  expect(await database.sql`SELECT FROM library_albums`).toHaveLength(2);
  expect(await outcomesOf()).toEqual([
    { status: 'skipped', reason: 'duplicate', count: 41 },
    { status: 'skipped', reason: 'already_indexed', count: 5 },
  ]);
  expect(inngest.events()).toHaveLength(41);
});
