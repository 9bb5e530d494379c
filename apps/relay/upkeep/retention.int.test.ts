import { connect } from '@segue/database/connection.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { loggerInMemory } from '../test/relay.ts';
import { retention } from './retention.ts';

const database = useDatabase();
beforeEach(async () => {
  await database.sql`TRUNCATE ingestion_outbox, album_ingestion_batches`;
});

const weekMs = 7 * 24 * 3_600_000;

const addRows = (count: number, daysOld: number) => database.sql`
  INSERT INTO ingestion_outbox (isrc, title, artist, album, status, created_at, settled_at)
  SELECT 'KEPT' || lpad(n::text, 8, '0'), 'Title', 'Artist', 'Album', 'scheduled', moment, moment
  FROM generate_series(1, ${count}::int) AS n, (SELECT now() - ${daysOld} * interval '1 day' AS moment) AS age`;

const addClosedAlbums = (count: number, daysOld: number) => database.sql`
  INSERT INTO album_ingestion_batches (created_at, total_tracks, scheduled_count)
  SELECT now() - ${daysOld} * interval '1 day', 1, 1 FROM generate_series(1, ${count}::int)`;

async function counts() {
  const [row] = await database.sql`
    SELECT (SELECT count(*)::int FROM ingestion_outbox) AS rows,
      (SELECT count(*)::int FROM album_ingestion_batches) AS albums`;
  return row;
}

function keep() {
  const { logger, lines } = loggerInMemory();
  const service = retention(database.sql, weekMs, logger);
  service.start();
  const stop = () => service.stop();
  onTestFinished(stop);
  return { stop, lines };
}

test('what is older than the retention goes at once, page by page, and the rest stays', async () => {
  await addRows(2_500, 8);
  await addRows(10, 1);
  await addClosedAlbums(3, 8);
  await addClosedAlbums(2, 1);
  const { lines } = keep();

  await eventually(async () => expect(await counts()).toEqual({ rows: 10, albums: 2 }));
  await eventually(() => expect(lines).toMatchObject([{ level: 30, removed: 2_500 }]));
});

test('albums go as far as rows do, however many there are', async () => {
  await addClosedAlbums(2_500, 8);
  keep();
  await eventually(async () => expect(await counts()).toEqual({ rows: 0, albums: 0 }));
});

test('nothing to remove is not worth a line', async () => {
  await addRows(10, 1);
  const { stop, lines } = keep();
  await stop();
  expect(lines).toEqual([]);
});

test('it ends between two pages when the relay stops', async () => {
  await addRows(20_000, 8);
  const { stop } = keep();
  await eventually(async () => expect((await counts())?.rows).toBeLessThan(20_000));
  await stop();
  expect((await counts())?.rows).toBeGreaterThan(0);
});

test('a round that fails is worth a warning, and no more', async () => {
  const { logger, lines } = loggerInMemory();
  const sql = connect({ url: 'postgres://127.0.0.1:1/nowhere', applicationName: 'segue-relay', max: 1 });
  const service = retention(sql, weekMs, logger);
  service.start();
  await eventually(() => expect(lines).toHaveLength(1));
  await service.stop();
  await sql.end({ timeout: 1 });
  expect(lines).toMatchObject([{ level: 40, error: expect.stringContaining('ECONNREFUSED') }]);
});
