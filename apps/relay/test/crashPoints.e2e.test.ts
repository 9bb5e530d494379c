import type { Isrc } from '@segue/ingestion/isrc.ts';
import { enqueueAlbum } from '@segue/outbox/test/outbox.ts';
import { expect, test } from 'vitest';
import { addressOf, newIsrc, useRelayProcesses } from './relayProcess.ts';

const here = useRelayProcesses();

const killed = { code: null, signal: 'SIGKILL' };
const settings = { RELAY_LEASE_MS: '1000', RELAY_BATCH_SIZE: '8', RELAY_CONCURRENCY: '2' };

/**
 * Adds what a library adds while relays die: an album of twelve, of which one is in the index, two are one
 * recording, and one was added before.
 */
async function addAlbum(before: string | undefined) {
  const isrcs = Array.from({ length: 10 }, newIsrc);
  const [indexed, twice] = isrcs as [string, string];
  await here.qdrant.add(indexed);
  const tracks = [...isrcs, twice, before ?? twice].map((isrc, index) => ({
    isrc: isrc as Isrc,
    title: `Track ${index + 1}`,
    artist: 'Miles Davis',
    album: 'Kind of Blue',
  }));
  await enqueueAlbum(here.sql, tracks);
  return { wanted: isrcs.slice(1), indexed };
}

test.each([
  'before_renewal',
  'after_renewal',
  'after_read',
  'after_index_check',
  'after_send',
  'within_settlement',
])(
  'killed %s again and again: every recording is sent under one id, with one content, and nothing stays open',
  async point => {
    const wanted: string[] = [];
    const indexed: string[] = [];
    const add = async () => {
      const added = await addAlbum(wanted.at(-1));
      wanted.push(...added.wanted);
      indexed.push(added.indexed);
    };
    for (const pass of [1, 2, 3]) {
      await add();
      const relay = await here.start({ ...settings, CRASH_AT: `${point}:${pass}` });
      await add();
      expect(await relay.exited).toEqual(killed);
    }
    const survivor = await here.start(settings);
    await addressOf(survivor);
    await here.drained();

    here.expectOneEventEach(wanted);
    const rows = await here.sql<{ isrc: string; status: string; reason: string | null }[]>`
      SELECT isrc, status, reason FROM ingestion_outbox`;
    const scheduled = rows.filter(({ status }) => status === 'scheduled').map(({ isrc }) => isrc);
    expect(scheduled.sort()).toEqual(wanted.toSorted());
    expect(
      rows
        .filter(({ reason }) => reason === 'already_indexed')
        .map(({ isrc }) => isrc)
        .sort(),
    ).toEqual(indexed.toSorted());
    expect(rows.filter(({ reason }) => reason === 'duplicate')).toHaveLength(
      rows.length - wanted.length - indexed.length,
    );

    // Every album was counted to its end, and by nobody twice.
    expect(
      await here.sql`
        SELECT FROM album_ingestion_batches WHERE scheduled_count + skipped_count + dead_count <> total_tracks`,
    ).toEqual([]);
    expect(await survivor.stop()).toEqual({ code: 0, signal: null });
  },
);
