import type { Isrc } from '@segue/ingestion/isrc.ts';
import { enqueueAlbum } from '@segue/outbox/test/outbox.ts';
import { expect, test } from 'vitest';
import { newIsrc, useRelays } from '../test/relay.ts';

const here = useRelays();

const some = (count: number) => Array.from({ length: count }, newIsrc);
const duration_ms = expect.any(Number);

test('the log has exactly the lines and fields of the contract', async () => {
  const [fresh, known, blank] = some(3) as [string, string, string];
  await here.qdrant.add(known);
  await here.request(
    { isrc: fresh, title: 'One' },
    { isrc: fresh, title: 'Two' },
    { isrc: known, title: 'Three' },
    { isrc: blank, title: '' },
  );
  const { lines, stop } = await here.start();
  await here.settled();
  await stop();

  expect(here.eventsOf(lines)).toEqual([
    {
      level: 30,
      event: 'ingestion_scheduled',
      result: 'success',
      isrc: fresh,
      trackTitle: 'One',
      duration_ms,
    },
    {
      level: 40,
      event: 'ingestion_skipped',
      result: 'skipped',
      reason: 'already_indexed',
      isrc: known,
      trackTitle: 'Three',
      duration_ms,
    },
    {
      level: 30,
      event: 'ingestion_skipped',
      result: 'skipped',
      reason: 'duplicate',
      isrc: fresh,
      trackTitle: 'Two',
      duration_ms,
    },
    {
      level: 50,
      event: 'ingestion_error',
      result: 'error',
      reason: 'it makes no valid event: title: must not be empty',
      isrc: blank,
      trackTitle: '',
      duration_ms,
      msg: 'dead: no further attempt is made',
    },
  ]);
  expect(lines.filter(line => line.event === undefined)).toEqual([]);
});

test('the log says once that an album is done, with its counts', async () => {
  const isrcs = some(6) as Isrc[];
  const [sentBefore, inIndex, blank] = isrcs as [Isrc, Isrc, Isrc];
  await here.qdrant.add(inIndex);
  await here.request({ isrc: sentBefore });
  const { lines, stop } = await here.start({ RELAY_BATCH_SIZE: 2, RELAY_CONCURRENCY: 4 });
  await here.settled();
  const recording = { artist: 'Miles Davis', album: 'Kind of Blue' };
  await enqueueAlbum(
    here.sql,
    isrcs.map(isrc => ({ ...recording, isrc, title: isrc === blank ? '' : 'So What' })),
  );
  await here.settled();
  await stop();

  expect(lines.filter(({ event }) => event === 'album_ingestion_batch')).toEqual([
    {
      level: 30,
      event: 'album_ingestion_batch',
      result: 'success',
      total_tracks: 6,
      scheduled_count: 3,
      skipped_count: 2,
    },
  ]);
});

test('the log says of two relays on many albums once each that it is done', async () => {
  const recording = { title: 'So What', artist: 'Miles Davis', album: 'Kind of Blue' };
  for (let album = 0; album < 12; album++) {
    await enqueueAlbum(
      here.sql,
      (some(9) as Isrc[]).map(isrc => ({ ...recording, isrc })),
    );
  }
  const relays = [
    await here.start({ RELAY_BATCH_SIZE: 5, RELAY_CONCURRENCY: 3 }),
    await here.start({ RELAY_BATCH_SIZE: 4, RELAY_CONCURRENCY: 3 }),
  ];
  await here.settled();
  await Promise.all(relays.map(relay => relay.stop()));
  const lines = relays.flatMap(relay => relay.lines);
  expect(lines.filter(({ event }) => event === 'album_ingestion_batch')).toEqual(
    Array(12).fill(expect.objectContaining({ total_tracks: 9, scheduled_count: 9, skipped_count: 0 })),
  );
});
