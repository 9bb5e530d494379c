import type { Queryable } from '@segue/database/connection.ts';
import { expect, test } from 'vitest';
import { newIsrc } from '../testing/catalog.ts';
import { useLibrary } from '../testing/library.ts';
import type { TrackIngestionRequest } from './ingestionScheduler.ts';

const here = useLibrary();

function request(given: Partial<TrackIngestionRequest> = {}): TrackIngestionRequest {
  const recording = { title: 'So What', artist: 'Miles Davis', album: 'Kind of Blue', artworkUrl: null };
  return { isrc: newIsrc(), ...recording, ...given };
}

const inTransaction = <Result>(work: (transaction: Queryable) => Promise<Result>) =>
  here.database.sql.begin(work);

const outboxOf = (isrc: string | null) =>
  here.sql`SELECT isrc, artwork_url FROM ingestion_outbox WHERE isrc = ${isrc}`;

test('T011: scheduleTrack takes a TrackIngestionRequest and returns a TrackSchedulingResult', async () => {
  const { scheduler } = here.libraryWith();
  const wanted = request();
  expect(await inTransaction(transaction => scheduler.scheduleTrack(transaction, wanted))).toEqual({
    result: 'success',
    isrc: wanted.isrc,
    trackTitle: 'So What',
  });
  expect(await outboxOf(wanted.isrc)).toEqual([{ isrc: wanted.isrc, artwork_url: null }]);
});

test('T011: a track that cannot be requested is a result, and no row', async () => {
  const { scheduler } = here.libraryWith();
  const isrc = newIsrc();
  const schedule = (given: Partial<TrackIngestionRequest>) =>
    inTransaction(transaction => scheduler.scheduleTrack(transaction, request(given)));

  expect(await schedule({ isrc: null })).toEqual({
    result: 'skipped',
    isrc: null,
    trackTitle: 'So What',
    reason: 'missing_isrc',
  });
  expect(await schedule({ isrc: 'USRC1' })).toMatchObject({ result: 'skipped', reason: 'invalid_isrc' });
  expect(await schedule({ isrc, title: ' ' })).toEqual({
    result: 'error',
    isrc,
    trackTitle: ' ',
    error: 'title: must not be empty',
  });
  expect(await outboxOf(isrc)).toEqual([]);
});

test('T020: scheduleAlbumTracks returns an individual result for each track', async () => {
  const { scheduler } = here.libraryWith();
  const [first, last] = [newIsrc(), newIsrc()];
  const tracks = [
    request({ isrc: first, title: 'One' }),
    request({ isrc: null, title: 'Two' }),
    request({ isrc: last, title: 'Three' }),
  ];
  expect(await inTransaction(transaction => scheduler.scheduleAlbumTracks(transaction, { tracks }))).toEqual({
    results: [
      { result: 'success', isrc: first, trackTitle: 'One' },
      { result: 'skipped', isrc: null, trackTitle: 'Two', reason: 'missing_isrc' },
      { result: 'success', isrc: last, trackTitle: 'Three' },
    ],
  });
  expect([...(await outboxOf(first)), ...(await outboxOf(last))]).toHaveLength(2);
});

test('T029: the ISRC usrc12345678 is normalised to USRC12345678', async () => {
  const { scheduler } = here.libraryWith();
  const result = await inTransaction(transaction =>
    scheduler.scheduleTrack(transaction, request({ isrc: 'usrc12345678' })),
  );
  expect(result).toMatchObject({ isrc: 'USRC12345678' });
  expect(await outboxOf('USRC12345678')).toHaveLength(1);
});

test('a transaction that fails takes the request with it', async () => {
  const { scheduler } = here.libraryWith();
  const wanted = request();
  const transaction = inTransaction(async transaction => {
    await scheduler.scheduleTrack(transaction, wanted);
    throw new Error('given up');
  });
  await expect(transaction).rejects.toThrow('given up');
  expect(await outboxOf(wanted.isrc)).toEqual([]);
});

test('T035: announcing never throws, whatever the hint does', async () => {
  const { scheduler } = here.libraryWith(undefined, () => {
    throw new Error('no connection');
  });
  const scheduling = await inTransaction(transaction => scheduler.scheduleTrack(transaction, request()));
  expect(() => scheduler.announce(scheduling, 1)).not.toThrow();
});
