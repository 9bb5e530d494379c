import { eventually } from '@segue/testing/eventually.ts';
import { TidalApiError } from '@segue/tidal/http/error.ts';
import type { TrackIsrcs } from '@segue/tidal/tracks/trackIsrcs.ts';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { addTrack } from '../library/addTrack.ts';
import { catalogTrack, fakeCatalog, newIsrc } from '../test/catalog.ts';
import { newUser, useLibrary } from '../test/library.ts';
import { startCompletion } from './completion.ts';

const here = useLibrary();
beforeEach(() => here.sql`TRUNCATE library_tracks, catalog_pending, ingestion_outbox`);

/** Adds tracks that are owed their ISRCs, and completes them with one answer of TIDAL's; the next one never comes. */
async function completeWith(count: number, answer: (ids: string[]) => TrackIsrcs) {
  const tracks = Array.from({ length: count }, () => catalogTrack({ isrc: null, isrcOwed: true }));
  const ids = tracks.map(({ tidalId }) => tidalId);
  const library = here.libraryWith(fakeCatalog({ tracks }));
  for (const id of ids) await addTrack(library, newUser(), id);
  let answered = false;
  const completion = startCompletion({
    ...library,
    catalog: {
      ...library.catalog,
      async batchFetchTrackIsrcs() {
        if (answered) return await new Promise(() => undefined);
        answered = true;
        return answer(ids);
      },
    },
  });
  onTestFinished(() => completion.stop());
  return { ids, lines: library.lines };
}

const pending = () => here.sql`
  SELECT tidal_id, attempts, last_error FROM catalog_pending ORDER BY tidal_id`;

const refused = (id: string) =>
  new TidalApiError(`TIDAL answered 403 for track ${id}`, { retryable: false, status: 403 });
const unasked = (id: string) =>
  new TidalApiError(`No turn came in time to ask TIDAL for track ${id}`, {
    retryable: true,
    status: null,
    unasked: true,
  });

test('tracks that TIDAL answered for are completed beside one that fails and others that were not asked for', async () => {
  const isrc = newIsrc();
  const { ids, lines } = await completeWith(
    5,
    ([answered = '', none, failed = '', late = '', later = '']) => {
      expect(none).toBeDefined();
      const failures = new Map([
        [failed, refused(failed)],
        [late, unasked(late)],
        [later, unasked(later)],
      ]);
      return { isrcs: new Map([[answered, isrc]]), failures };
    },
  );
  const [answered, none, failed, late, later] = ids;

  await eventually(async () => {
    expect(await pending()).toEqual([
      { tidal_id: failed, attempts: 1, last_error: `TIDAL answered 403 for track ${failed}` },
      { tidal_id: late, attempts: 0, last_error: null },
      { tidal_id: later, attempts: 0, last_error: null },
    ]);
  });
  expect(await here.sql`SELECT isrc FROM ingestion_outbox`).toEqual([{ isrc }]);
  expect(
    await here.sql`
      SELECT tidal_track_id AS id, isrc FROM library_tracks WHERE NOT isrc_owed ORDER BY tidal_track_id`,
  ).toEqual([
    { id: answered, isrc },
    { id: none, isrc: null },
  ]);
  expect(lines.filter(({ event }) => event === 'catalog_completion_failed')).toEqual([
    expect.objectContaining({ tidalIds: [failed], error: `TIDAL answered 403 for track ${failed}` }),
  ]);
});

test('tracks of one failed request share its error, in one line of the log', async () => {
  const failure = refused('1, 2');
  const { ids, lines } = await completeWith(2, both => ({
    isrcs: new Map(),
    failures: new Map(both.map(id => [id, failure])),
  }));
  await eventually(async () => {
    expect(await pending()).toEqual(
      ids.map(id => ({ tidal_id: id, attempts: 1, last_error: failure.message })),
    );
  });
  const told = lines.filter(({ event }) => event === 'catalog_completion_failed');
  expect(told).toEqual([expect.objectContaining({ tidalIds: expect.arrayContaining(ids) })]);
});
