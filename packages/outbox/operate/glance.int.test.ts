import { useDatabase } from '@segue/testing/database.ts';
import { beforeEach, expect, test } from 'vitest';
import { readDeadRequests, readGlance, readOpenRequests } from './glance.ts';

const database = useDatabase();

beforeEach(async () => {
  await database.sql`TRUNCATE ingestion_outbox, catalog_pending, library_albums`;
});

test('an empty outbox has nothing to say', async () => {
  expect(await readGlance(database.sql)).toMatchObject({
    open: { count: 0, isEstimate: false, oldestSeconds: null, later: 0, refused: 0, oldestDueSeconds: null },
    dead: { count: 0, more: false, lastHour: 0, reasons: [], newest: [] },
    owed: { count: 0, more: false, tracks: 0, failing: 0, failingSince: null, items: [] },
    sending: { paused: null },
  });
});

test('what waits is told apart by whether it is due, and whether it was refused', async () => {
  await database.sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, created_at, available_at, attempts)
    VALUES ('USRC17607839', 'T', 'A', 'B', now() - interval '1 hour', now() + interval '1 hour', 3),
      ('USRC17607840', 'T', 'A', 'B', now() - interval '10 minutes', now() - interval '5 minutes', 0)`;
  const open = await readOpenRequests(database.sql);
  expect(open).toMatchObject({ count: 2, isEstimate: false, later: 1, refused: 1 });
  expect(open.oldestSeconds).toBeCloseTo(3_600, -1);
  expect(open.oldestDueSeconds).toBeCloseTo(300, -1);
});

test('what waits is counted up to 10,000, and estimated beyond', async () => {
  const add = (count: number) => database.sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, created_at)
    SELECT 'TE' || lpad(n::text, 10, '0'), 'T', 'A', 'B', now() + n * interval '1 microsecond'
    FROM generate_series(1, ${count}::int) AS n`;
  await add(10_000);
  expect(await readOpenRequests(database.sql)).toMatchObject({ count: 10_000, isEstimate: false });
  await add(200_000);
  expect(await readOpenRequests(database.sql)).toMatchObject({ count: 210_000, isEstimate: true });
});

test('a count stops at its bound, and says so', async () => {
  await database.sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, status, reason, settled_at)
    SELECT 'US' || lpad(n::text, 10, '0'), 'T', 'A', 'B', 'dead', CASE WHEN n % 3 = 0 THEN 'rare' ELSE 'frequent' END, now()
    FROM generate_series(1, 10001) AS n`;
  const dead = await readDeadRequests(database.sql);
  expect(dead).toMatchObject({ count: 10_000, more: true, lastHour: 10_001 });
  expect(dead.reasons.map(({ reason }) => reason)).toEqual(['frequent', 'rare']);
  expect(dead.newest.map(({ isrc }) => isrc)).toEqual(['US0000010001', 'US0000010000', 'US0000009999']);
});

test('what TIDAL owes names the album and the failure', async () => {
  const [album] = await database.sql<[{ id: string }]>`
    INSERT INTO library_albums (user_id, tidal_album_id, title, artist_name, track_count, track_listing, tracks_owed)
    VALUES ('ada', '7', 'Kind of Blue', 'Miles Davis', 5, '[]', 4) RETURNING id`;
  await database.sql`
    INSERT INTO catalog_pending (item_id, kind, tidal_id, tracks_owed, attempts, failing_since, last_error, album_batch_id)
    VALUES (${album.id}, 'album', '7', 4, 2, now(), '503', 12)`;
  expect((await readGlance(database.sql)).owed).toMatchObject({
    count: 1,
    tracks: 4,
    failing: 1,
    failingSince: expect.any(Date),
    items: [
      {
        title: 'Kind of Blue',
        artist: 'Miles Davis',
        tracksOwed: 4,
        attempts: 2,
        failingSince: expect.any(Date),
        lastError: '503',
        albumBatchId: 12,
      },
    ],
  });
});

test.each(['segue_relay', 'segue_operator'])('%s may read it all', async role => {
  await database.sql.begin(async transaction => {
    await transaction.unsafe(`SET LOCAL ROLE ${role}`);
    expect(await readGlance(transaction)).toMatchObject({ open: { count: 0 } });
  });
});
