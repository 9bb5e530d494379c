import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import { type QdrantStandIn, startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { ensureCollection } from '@segue/track-index/collection.ts';
import { connectToIndex } from '@segue/track-index/connect.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addAlbum, addTrack, newIsrc } from '../../test/library.ts';
import { outbox } from '../../test/terminal.ts';

const database = useDatabase();
let qdrant: QdrantStandIn;
beforeEach(async () => {
  await database.sql`
    TRUNCATE ingestion_outbox, ingestion_ledger, ingestion_meters, ingestion_actions, library_tracks, library_albums`;
  qdrant = await startQdrant();
});
afterEach(() => qdrant.close());

async function index(...ids: string[]): Promise<void> {
  const connection = connectToIndex({ url: qdrant.url, collection: 'tracks', timeoutMs: 10_000 });
  await ensureCollection(connection);
  const points = ids.map(id => ({ id, vector: {} }));
  if (points.length > 0) await connection.call(client => client.upsert('tracks', { points }));
}

const reindex = (...options: string[]) =>
  outbox(
    ['reindex', '--json', '--reason', 'the index was wiped', '--yes', '--per-minute', '60000', ...options],
    { environment: { DATABASE_URL: database.url, QDRANT_URL: qdrant.url } },
  );

const requested = async () =>
  (await database.sql<{ isrc: string }[]>`SELECT isrc FROM ingestion_outbox ORDER BY isrc`).map(
    ({ isrc }) => isrc,
  );

const remember = (isrc: string, sent: string, indexed: string | null) => database.sql`
  INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at, indexed_at)
  VALUES (${isrc}, 0, 4, now() - ${sent}::interval, now() - ${indexed}::interval)`;

test('what the library has and the index lacks is requested, each recording once', async () => {
  const [indexed, missing] = [await addTrack(database.sql), await addTrack(database.sql)];
  const listed = [newIsrc(), newIsrc()] as [string, string];
  await addAlbum(database.sql, [...listed, missing, null, 'no ISRC']);
  await addAlbum(database.sql, listed, { user_id: 'grace' });
  await index(...[indexed, listed[0]].map(hashIsrcToUuid), hashIsrcToUuid('GBAYE0601498'));
  const run = await reindex();
  expect(run.document()).toEqual({
    rows: 2,
    action: expect.any(Number),
    recordings: 4,
    points: 3,
    missing: 2,
    onTheirWay: 0,
    stray: 1,
  });
  expect(await requested()).toEqual([missing, listed[1]].sort());
});

test('a dry run says how many are missing, and how many points are of no item', async () => {
  await addTrack(database.sql);
  await index(
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    hashIsrcToUuid('USRC17607839'),
  );
  expect((await reindex('--dry-run')).document()).toMatchObject({
    dryRun: true,
    rows: 1,
    missing: 1,
    stray: 3,
  });
  expect(await requested()).toEqual([]);
});

test('many recordings are merged in the order of their points', async () => {
  await database.sql`
    INSERT INTO library_tracks (user_id, tidal_track_id, title, artist_name, album_name, duration, explicit, isrc)
    SELECT 'ada', n, 'So What', 'Miles Davis', 'Kind of Blue', 1, false, 'MERGE' || lpad(n::text, 7, '0')
    FROM generate_series(1, 6000) AS n`;
  const isrcs = Array.from({ length: 6_000 }, (_, at) => `MERGE${String(at + 1).padStart(7, '0')}`);
  await index(...isrcs.filter((_, at) => at % 3 !== 0).map(hashIsrcToUuid), hashIsrcToUuid('USRC17607839'));
  expect((await reindex('--dry-run')).document()).toMatchObject({
    recordings: 6_000,
    points: 4_001,
    missing: 2_000,
    stray: 1,
  });
});

test('an ISRC that an older version stored as it came is compared in its normalised form', async () => {
  await addTrack(database.sql, { isrc: 'us-rc1-76-07839' });
  await index(hashIsrcToUuid('USRC17607839'));
  expect((await reindex('--dry-run')).document()).toMatchObject({ recordings: 1, missing: 0, stray: 0 });
});

test('a recording whose title is blank to JavaScript is not missing, since nothing can request it', async () => {
  await addTrack(database.sql, { title: '\u00a0\u2003' });
  await index();
  expect((await reindex('--dry-run')).document()).toMatchObject({ recordings: 0, missing: 0 });
});

test('a collection that does not exist has nothing', async () => {
  await addTrack(database.sql);
  expect((await reindex('--dry-run')).document()).toMatchObject({ points: 0, missing: 1 });
});

test('what was sent lately is on its way, unless it was seen in the index since', async () => {
  const [under, seen, old] = [
    await addTrack(database.sql),
    await addTrack(database.sql),
    await addTrack(database.sql),
  ];
  await remember(under, '1 hour', null);
  await remember(seen, '2 hours', '1 hour');
  await remember(old, '3 days', '2 days');
  await index();
  expect((await reindex()).document()).toMatchObject({ rows: 2, missing: 3, onTheirWay: 1 });
  expect(await requested()).toEqual([seen, old].sort());
  expect((await reindex()).document()).toMatchObject({ rows: 0, missing: 3, onTheirWay: 3 });
});

test('an index that cannot be asked fails the command, and nothing is requested', async () => {
  await addTrack(database.sql);
  qdrant.answerWith(() => ({ status: 500 }));
  const run = await reindex();
  expect(run.code).toBe(1);
  expect(run.document()).toMatchObject({ error: { kind: 'failed' } });
  expect(await requested()).toEqual([]);
});

test('without QDRANT_URL it says what is missing', async () => {
  const run = await outbox(['reindex', '--reason', 'why', '--yes'], {
    environment: { DATABASE_URL: database.url },
  });
  expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('set QDRANT_URL') });
});
