import type { Catalogue } from '@segue/stand-ins/tidal/catalogue.ts';
import { startTidal, type TidalStandIn } from '@segue/stand-ins/tidal/server.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { createTidalClient } from '@segue/tidal/client.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { addAlbum } from '../library/addAlbum.ts';
import { addTrack } from '../library/addTrack.ts';
import { newUser, type TestLibrary, useLibrary } from '../test/library.ts';
import { askMoreOfAlbum } from './completeAlbum.ts';
import { startCompletion } from './completion.ts';
import { claimPending } from './pending.ts';

const here = useLibrary();
const albumId = '500000';
const count = 50;
const isrcs = Array.from({ length: count }, (_, index) => `XXCMP26${String(index + 1).padStart(5, '0')}`);

/**
 * An album of three pages: the second page names a track without its data, one is listed without its ISRC, and the last
 * has none. A single track has none in its own answer.
 */
const catalogue: Catalogue = {
  artists: [{ id: '1', name: 'The Examples' }],
  albums: [
    {
      id: albumId,
      title: 'Fifty',
      albumType: 'ALBUM',
      barcodeId: '0001',
      releaseDate: '2017-06-30',
      copyright: '℗ 2017',
      artistIds: ['1'],
      items: isrcs.map((_, index) => ({
        type: 'tracks',
        id: String(500_001 + index),
        volumeNumber: 1,
        trackNumber: index + 1,
        ...(index === 30 && { listedWithout: 'resource' }),
        ...(index === 10 && { listedWithout: 'isrc' }),
      })),
    },
  ],
  tracks: isrcs.map((isrc, index) => ({
    id: String(500_001 + index),
    title: `Song ${index + 1}`,
    ...(index < count - 1 && { isrc }),
    seconds: 180,
    artistIds: ['1'],
    albumIds: [albumId],
  })),
  videos: [],
};

let tidal: TidalStandIn;
beforeAll(async () => {
  tidal = await startTidal({ catalogue });
});
afterAll(() => tidal.close());
beforeEach(async () => {
  tidal.answerWith(null);
  await here.sql`TRUNCATE library_albums, library_tracks, catalog_pending, ingestion_outbox, album_ingestion_batches`;
});

const unavailable = { status: 503, body: '' };

/** A process's library: a client of TIDAL's of its own. */
function newLibrary(): TestLibrary {
  const library = here.libraryWith();
  return { ...library, catalog: createTidalClient({ ...tidal, countryCode: 'US' }) };
}

/** Adds the album while TIDAL answers only what `allows` lets through, within half a second. */
async function addWhile(allows: (url: string) => boolean, library = newLibrary(), user = newUser()) {
  tidal.answerWith(({ url }) =>
    (url.includes('/items') || url.includes('/tracks?')) && !allows(url) ? unavailable : undefined,
  );
  const endsAt = performance.now() + 500;
  const addition = await addAlbum(library, user, albumId, {
    itemEndsAt: endsAt + 5_000,
    listingEndsAt: endsAt,
  });
  if (addition.outcome !== 'added') throw new Error(`the album was not added: ${addition.outcome}`);
  return { library, user, item: addition.item };
}

function complete(library: TestLibrary = newLibrary()) {
  const completion = startCompletion(library);
  onTestFinished(() => completion.stop());
  return completion;
}

const nothingOwed = () =>
  eventually(async () => {
    expect(await here.sql`SELECT item_id FROM catalog_pending`).toHaveLength(0);
  });

async function requested(): Promise<string[]> {
  const rows = await here.sql<{ isrc: string }[]>`SELECT isrc FROM ingestion_outbox ORDER BY isrc`;
  return rows.map(({ isrc }) => isrc);
}

async function album(id: string) {
  const [row] = await here.sql`
    SELECT tracks_owed AS owed, track_count AS count, track_listing AS listing FROM library_albums WHERE id = ${id}`;
  return row as {
    owed: number | null;
    count: number;
    listing: { position: number; title: string; isrc: string | null }[];
  };
}

const withIsrc = isrcs.slice(0, count - 1);
const wholeListing = isrcs.map((isrc, index) => ({
  position: index + 1,
  title: `Song ${index + 1}`,
  isrc: index < count - 1 ? isrc : null,
}));

describe('an album for which TIDAL failed in the middle', () => {
  test.each([
    ['before its listing', () => false, 50, 0],
    ['after the first page', (url: string) => url.includes('/items') && !url.includes('cursor'), 31, 20],
    ['before tracks were asked for by id', (url: string) => url.includes('/items'), 3, 49],
  ])('%s is completed, each recording requested once', async (_, allows, owed, listed) => {
    const { library, item } = await addWhile(allows);
    expect(item).toMatchObject({ tracksOwed: owed, trackCount: count });
    expect(item.trackListing).toHaveLength(listed);
    expect(await album(item.id)).toMatchObject({ owed });
    expect(library.lines).toContainEqual(expect.objectContaining({ event: 'album_track_listing_error' }));
    const [view] = await here.sql`SELECT * FROM ingestion_catalog_pending`;
    expect(view).toMatchObject({
      kind: 'album',
      item_id: item.id,
      title: 'Fifty',
      tracks_owed: owed,
      attempts: 0,
    });

    tidal.answerWith(null);
    const completing = newLibrary();
    complete(completing);
    await nothingOwed();

    const stored = await album(item.id);
    expect(stored).toMatchObject({ owed: 0, count, listing: wholeListing });
    expect(await requested()).toEqual(withIsrc);
    const batches = await here.sql`SELECT total_tracks FROM album_ingestion_batches`;
    expect(batches).toEqual([{ total_tracks: count - 1 }]);
    expect(completing.lines).toContainEqual(
      expect.objectContaining({ event: 'catalog_completed', tidalId: albumId, total_tracks: count }),
    );
  });

  test('is completed by several processes at once, each recording requested once', async () => {
    for (const _ of [1, 2, 3]) await addWhile(() => false);
    tidal.answerWith(null);
    for (const _ of [1, 2, 3]) complete();
    await nothingOwed();
    const counts = await here.sql`SELECT isrc, count(*)::int FROM ingestion_outbox GROUP BY isrc`;
    expect(counts.map(({ count }) => count)).toEqual(Array(count - 1).fill(3));
    expect(await here.sql`SELECT total_tracks FROM album_ingestion_batches`).toEqual(
      Array(3).fill({ total_tracks: count - 1 }),
    );
  });

  test('is dropped without a trace when it is removed meanwhile', async () => {
    const { item } = await addWhile(url => url.includes('/items') && !url.includes('cursor'));
    await here.sql`DELETE FROM library_albums WHERE id = ${item.id}`;
    expect(await here.sql`SELECT * FROM catalog_pending`).toHaveLength(0);
    expect(await here.sql`SELECT total_tracks FROM album_ingestion_batches`).toEqual([{ total_tracks: 19 }]);
    expect(await requested()).toHaveLength(19);
  });

  test('is dropped by the process that has asked for it, when it is removed before the answer is written', async () => {
    const { item } = await addWhile(() => false);
    const asked = Promise.withResolvers<void>();
    const removed = Promise.withResolvers<undefined>();
    tidal.answerWith(async ({ url }) => {
      if (!url.includes('/items')) return undefined;
      asked.resolve();
      return await removed.promise;
    });
    const library = newLibrary();
    const completion = complete(library);
    await asked.promise;
    await here.sql`DELETE FROM library_albums WHERE id = ${item.id}`;
    removed.resolve(undefined);
    await eventually(async () => expect(await claimable()).toBe(0));
    await completion.stop();
    expect(await requested()).toEqual([]);
    expect(await here.sql`SELECT * FROM album_ingestion_batches`).toHaveLength(0);
  });

  test('waits for longer after each failure, and says why', async () => {
    await addWhile(() => false);
    tidal.answerWith(({ url }) => (url.includes('/items') ? { status: 403, body: '{}' } : undefined));
    const library = newLibrary();
    complete(library);
    await eventually(async () => {
      const [row] = await here.sql`
        SELECT attempts, last_error, leased_until, failing_since IS NOT NULL AS failing,
          next_attempt_at > now() AS waits FROM ingestion_catalog_pending`;
      expect(row).toMatchObject({ attempts: 1, leased_until: null, failing: true, waits: true });
      expect(row?.last_error).toContain('403');
    });
    await here.sql`UPDATE catalog_pending SET failing_since = now() - interval '2 hours', available_at = now()`;
    await eventually(async () => {
      const [row] = await here.sql`
        SELECT attempts, next_attempt_at - now() BETWEEN interval '20 minutes' AND interval '31 minutes' AS waits
        FROM ingestion_catalog_pending`;
      expect(row).toMatchObject({ attempts: 2, waits: true });
    });
    expect(library.lines).toContainEqual(expect.objectContaining({ event: 'catalog_completion_failed' }));
  });

  test('is handed back by a process that stops', async () => {
    await addWhile(() => false);
    const asked = Promise.withResolvers<void>();
    tidal.answerWith(({ url }) => {
      if (!url.includes('/items')) return undefined;
      asked.resolve();
      return 'hang';
    });
    const completion = complete();
    await asked.promise;
    expect(
      (await here.sql`SELECT leased_until FROM ingestion_catalog_pending`)[0]?.leased_until,
    ).not.toBeNull();
    await completion.stop();
    const rows = await here.sql`
      SELECT lease, attempts, available_at <= now() AS due FROM catalog_pending`;
    expect(rows).toEqual([{ lease: null, attempts: 0, due: true }]);
  });

  test('is taken over when the lease of its process has ended', async () => {
    const { item } = await addWhile(() => false);
    const { albums } = await claimPending(here.database.sql, { albums: 1, tracks: 0 }, 0);
    expect(albums.map(({ itemId }) => itemId)).toEqual([item.id]);
    tidal.answerWith(null);
    complete();
    await nothingOwed();
    expect(await album(item.id)).toMatchObject({ owed: 0, listing: { length: count } });
  });

  test('is not written by a process that was away past its lease', async () => {
    const { item } = await addWhile(() => false);
    const { albums } = await claimPending(here.database.sql, { albums: 1, tracks: 0 }, 0);
    const successor = await claimPending(here.database.sql, { albums: 1, tracks: 0 }, 60_000);
    expect(successor.albums).toHaveLength(1);
    tidal.answerWith(null);
    for (const stale of albums) {
      const step = await askMoreOfAlbum(newLibrary(), stale, performance.now() + 5_000);
      expect(step).toEqual({ outcome: 'gone' });
    }
    expect(albums).toHaveLength(1);
    expect(await album(item.id)).toMatchObject({ owed: count, listing: { length: 0 } });
    expect(await requested()).toEqual([]);
  });

  test('is asked for behind what people wait for', async () => {
    await addWhile(() => false);
    tidal.answerWith(null);
    const library = newLibrary();
    const { catalog } = library;
    const asked: unknown[] = [];
    complete({
      ...library,
      catalog: {
        ...catalog,
        continueAlbumListing(id, owed, options) {
          asked.push(options?.background);
          return catalog.continueAlbumListing(id, owed, options);
        },
      },
    });
    await nothingOwed();
    expect(new Set(asked)).toEqual(new Set([true]));
  });

  test('has its batch closed where the last tracks that were owed turn out to have no ISRC', async () => {
    const { item } = await addWhile(url => url.includes('/items'));
    // The relay has settled all that was requested; 3 tracks are owed.
    await here.sql`UPDATE album_ingestion_batches SET scheduled_count = 47`;
    tidal.answerWith(({ url }) =>
      url.includes('/tracks?')
        ? { status: 200, headers: { 'content-type': 'application/vnd.api+json' }, body: { data: [] } }
        : undefined,
    );
    const library = newLibrary();
    complete(library);
    await nothingOwed();
    expect(await album(item.id)).toMatchObject({ owed: 0, listing: { length: count - 1 } });
    expect(library.lines).toContainEqual(
      expect.objectContaining({
        event: 'album_ingestion_batch',
        total_tracks: 47,
        scheduled_count: 47,
        skipped_count: 0,
      }),
    );
  });
});

describe('a single track whose ISRC was not to be had', () => {
  const add = async () => {
    const noIsrc = { data: { id: '500001', type: 'tracks', attributes: { title: 'Song 1' } } };
    const headers = { 'content-type': 'application/vnd.api+json' };
    tidal.answerWith(({ url }) =>
      url.includes('/tracks?')
        ? unavailable
        : url.includes('/tracks/')
          ? { status: 200, headers, body: noIsrc }
          : undefined,
    );
    const addition = await addTrack(newLibrary(), newUser(), '500001', performance.now() + 500);
    if (addition.outcome !== 'added') throw new Error(`the track was not added: ${addition.outcome}`);
    return addition.item;
  };

  test('has it later, and is requested once', async () => {
    const item = await add();
    expect(item).toMatchObject({ isrc: null, isrcOwed: true });
    tidal.answerWith(null);
    complete();
    complete();
    await nothingOwed();
    const [track] = await here.sql`SELECT isrc, isrc_owed FROM library_tracks WHERE id = ${item.id}`;
    expect(track).toEqual({ isrc: isrcs[0], isrc_owed: false });
    expect(await requested()).toEqual([isrcs[0]]);
  });

  test('is dropped when it is removed meanwhile', async () => {
    const item = await add();
    await here.sql`DELETE FROM library_tracks WHERE id = ${item.id}`;
    expect(await here.sql`SELECT * FROM catalog_pending`).toHaveLength(0);
  });
});

describe('what an older version has stored', () => {
  test('with holes is completed, and requested once', async () => {
    const { item } = await addWhile(url => url.includes('/items') && !url.includes('cursor'));
    await here.sql`DELETE FROM catalog_pending`;
    await here.sql`UPDATE library_albums SET tracks_owed = NULL`;
    await here.sql`
      INSERT INTO library_tracks (user_id, tidal_track_id, title, artist_name, album_name, duration, explicit)
      VALUES (${newUser()}, '500050', 'Song 50', 'The Examples', 'Fifty', 180, false)`;
    tidal.answerWith(null);
    const library = newLibrary();
    complete(library);
    await eventually(async () => {
      expect(await album(item.id)).toMatchObject({ owed: 0, listing: wholeListing });
      expect(await here.sql`SELECT isrc_owed FROM library_tracks`).toEqual([{ isrc_owed: false }]);
    });
    await nothingOwed();
    expect(await requested()).toEqual(withIsrc);
    expect(library.lines).toContainEqual(expect.objectContaining({ event: 'catalog_holes_found', count: 1 }));
  });

  test('without holes is left alone', async () => {
    const { item } = await addWhile(() => true);
    await here.sql`UPDATE library_albums SET tracks_owed = NULL, track_listing = track_listing - 49, track_count = 49`;
    complete();
    await eventually(async () => expect(await album(item.id)).toMatchObject({ owed: 0 }));
    expect(await here.sql`SELECT * FROM catalog_pending`).toHaveLength(0);
  });
});

async function claimable(): Promise<number> {
  const [row] = await here.sql`SELECT count(*)::int FROM catalog_pending`;
  return row?.count;
}
