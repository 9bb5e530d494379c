import { expect, test } from 'vitest';
import { enqueueAlbumPart } from './enqueueAlbumPart.ts';
import { newRequest, useOutbox } from './test/outbox.ts';

const outbox = useOutbox();

const rowsOf = (batchId: number | null) => outbox.sql`
  SELECT isrc FROM ingestion_outbox WHERE album_batch_id = ${batchId} ORDER BY id`;
const totalOf = async (batchId: number | null) =>
  (await outbox.sql`SELECT total_tracks FROM album_ingestion_batches WHERE id = ${batchId}`)[0]?.total_tracks;
const settleAll = (scheduled: number, skipped: number) => outbox.sql`
  UPDATE album_ingestion_batches SET scheduled_count = ${scheduled}, skipped_count = ${skipped}`;

test('the total of an album counts what is owed, until the last part has come', async () => {
  const requests = Array.from({ length: 5 }, () => newRequest());
  const first = await enqueueAlbumPart(outbox.sql, requests.slice(0, 2), {
    batchId: null,
    owedBefore: 0,
    owedAfter: 3,
  });
  const { batchId } = first;
  expect([first.closed, await totalOf(batchId)]).toEqual([null, 5]);

  await enqueueAlbumPart(outbox.sql, requests.slice(2, 4), { batchId, owedBefore: 3, owedAfter: 1 });
  expect(await totalOf(batchId)).toBe(5);
  await enqueueAlbumPart(outbox.sql, requests.slice(4), { batchId, owedBefore: 1, owedAfter: 0 });
  expect(await totalOf(batchId)).toBe(5);
  expect((await rowsOf(batchId)).map(({ isrc }) => isrc)).toEqual(requests.map(({ isrc }) => isrc));
});

test('more than was owed raises the total, and less lowers it', async () => {
  const { batchId } = await enqueueAlbumPart(outbox.sql, [newRequest()], {
    batchId: null,
    owedBefore: 0,
    owedAfter: 1,
  });
  await enqueueAlbumPart(outbox.sql, [newRequest(), newRequest()], { batchId, owedBefore: 1, owedAfter: 4 });
  expect(await totalOf(batchId)).toBe(7);
  await enqueueAlbumPart(outbox.sql, [], { batchId, owedBefore: 4, owedAfter: 0 });
  expect(await totalOf(batchId)).toBe(3);
});

test('a batch whose last owed tracks do not exist is closed here, once its rows are settled', async () => {
  const part = { batchId: null, owedBefore: 0, owedAfter: 2 };
  const { batchId } = await enqueueAlbumPart(outbox.sql, [newRequest(), newRequest()], part);
  const dropOne = (owedBefore: number) =>
    enqueueAlbumPart(outbox.sql, [], { batchId, owedBefore, owedAfter: owedBefore - 1 });
  await settleAll(1, 0);
  expect((await dropOne(2)).closed).toBeNull();
  await settleAll(1, 1);
  expect((await dropOne(1)).closed).toEqual({ totalTracks: 2, scheduledCount: 1, skippedCount: 1 });
});

test('an album without requests has no batch yet', async () => {
  const part = { batchId: null, owedBefore: 0, owedAfter: 20 };
  expect(await enqueueAlbumPart(outbox.sql, [], part)).toEqual({ batchId: null, closed: null });
  expect(await outbox.sql`SELECT FROM album_ingestion_batches`).toHaveLength(0);
});

test('a batch that somebody has deleted is made anew', async () => {
  const { batchId } = await enqueueAlbumPart(outbox.sql, [newRequest()], {
    batchId: null,
    owedBefore: 0,
    owedAfter: 1,
  });
  await outbox.sql`DELETE FROM album_ingestion_batches`;
  const late = await enqueueAlbumPart(outbox.sql, [newRequest()], { batchId, owedBefore: 1, owedAfter: 0 });
  expect(late.batchId).not.toBe(batchId);
  expect(await totalOf(late.batchId)).toBe(1);
  expect(await rowsOf(late.batchId)).toHaveLength(1);
});
