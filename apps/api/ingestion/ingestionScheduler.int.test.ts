import { expect, test } from 'vitest';
import { newIsrc } from '../test/catalog.ts';
import { useLibrary } from '../test/library.ts';
import type { IngestionScheduler, TrackIngestionRequest } from './ingestionScheduler.ts';

const here = useLibrary();

function request(given: Partial<TrackIngestionRequest> = {}): TrackIngestionRequest {
  const recording = { title: 'So What', artist: 'Miles Davis', album: 'Kind of Blue', artworkUrl: null };
  return { isrc: newIsrc(), ...recording, ...given };
}

/** In place of the statement that stores an item. */
const storing = () => here.database.sql`SELECT 'stored' AS state`;

const schedule = (scheduler: IngestionScheduler, wanted: TrackIngestionRequest) =>
  scheduler.scheduleTrack(here.database.sql, wanted, storing());

const outboxOf = (isrc: string | null) =>
  here.sql`SELECT isrc, artwork_url FROM ingestion_outbox WHERE isrc = ${isrc}`;

test('scheduleTrack takes a TrackIngestionRequest and returns a TrackSchedulingResult', async () => {
  const { scheduler } = here.libraryWith();
  const wanted = request();
  expect(await schedule(scheduler, wanted)).toEqual({
    item: { state: 'stored' },
    scheduling: { result: 'success', isrc: wanted.isrc, trackTitle: 'So What' },
  });
  expect(await outboxOf(wanted.isrc)).toEqual([{ isrc: wanted.isrc, artwork_url: null }]);
});

test('a track that cannot be requested is a result, and no row', async () => {
  const { scheduler } = here.libraryWith();
  const isrc = newIsrc();
  const outcome = async (given: Partial<TrackIngestionRequest>) => {
    const { item, scheduling } = await schedule(scheduler, request(given));
    expect(item).toEqual({ state: 'stored' });
    return scheduling;
  };

  expect(await outcome({ isrc: null })).toEqual({
    result: 'skipped',
    isrc: null,
    trackTitle: 'So What',
    reason: 'missing_isrc',
  });
  expect(await outcome({ isrc: 'USRC1' })).toMatchObject({ result: 'skipped', reason: 'invalid_isrc' });
  expect(await outcome({ isrc, title: ' ' })).toEqual({
    result: 'error',
    isrc,
    trackTitle: ' ',
    error: 'title: must not be empty',
  });
  expect(await outboxOf(isrc)).toEqual([]);
});

test('scheduleAlbumTracks returns an individual result for each track', async () => {
  const { scheduler } = here.libraryWith();
  const [first, last] = [newIsrc(), newIsrc()];
  const tracks = [
    request({ isrc: first, title: 'One' }),
    request({ isrc: null, title: 'Two' }),
    request({ isrc: last, title: 'Three' }),
  ];
  expect(await scheduler.scheduleAlbumTracks(here.database.sql, { tracks }, storing())).toEqual({
    item: { state: 'stored' },
    scheduling: {
      results: [
        { result: 'success', isrc: first, trackTitle: 'One' },
        { result: 'skipped', isrc: null, trackTitle: 'Two', reason: 'missing_isrc' },
        { result: 'success', isrc: last, trackTitle: 'Three' },
      ],
    },
  });
  expect([...(await outboxOf(first)), ...(await outboxOf(last))]).toHaveLength(2);
});

test('the ISRC usrc12345678 is normalised to USRC12345678', async () => {
  const { scheduler } = here.libraryWith();
  const { scheduling } = await schedule(scheduler, request({ isrc: 'usrc12345678' }));
  expect(scheduling).toMatchObject({ isrc: 'USRC12345678' });
  expect(await outboxOf('USRC12345678')).toHaveLength(1);
});

test('R2: an item that cannot be stored takes its requests with it', async () => {
  const { scheduler } = here.libraryWith();
  const { sql } = here.database;
  const wanted = request();
  const batches = () => here.sql`SELECT id FROM album_ingestion_batches`;
  const before = await batches();
  const failing = () => sql`SELECT 1 / (SELECT 0) AS state`;
  await expect(scheduler.scheduleTrack(sql, wanted, failing())).rejects.toThrow('division by zero');
  await expect(scheduler.scheduleAlbumTracks(sql, { tracks: [wanted] }, failing())).rejects.toThrow(
    'division by zero',
  );
  expect(await outboxOf(wanted.isrc)).toEqual([]);
  expect(await batches()).toEqual(before);
});

test('announcing never throws, whatever the hint does', async () => {
  const { scheduler } = here.libraryWith(undefined, () => {
    throw new Error('no connection');
  });
  const { scheduling } = await schedule(scheduler, request());
  expect(() => scheduler.announce(scheduling, 1)).not.toThrow();
});
