import { isOutage } from '@segue/database/outage.ts';
import { pause } from '@segue/process/pause.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { causedBy } from '@segue/telemetry/origin.ts';
import { TidalApiError } from '@segue/tidal/http/error.ts';
import type { Library } from '../library/library.ts';
import { askMoreOfAlbum } from './completeAlbum.ts';
import { completeTracks } from './completeTracks.ts';
import { findAlbumsWithHoles, findTracksWithoutIsrc } from './findHoles.ts';
import {
  claimPending,
  type PendingAlbum,
  type PendingItem,
  releasePending,
  renewPending,
  retryPendingLater,
} from './pending.ts';

/** Albums in hand. A request to TIDAL mostly waits for its turn, so that more of them would gain nothing. */
const albumsAtOnce = 2;
/** As many as one request to TIDAL takes. */
const tracksAtOnce = 20;
const pollMs = 1_000;
const betweenLooksForHolesMs = 60_000;
/** How long an item may stay in hand before others have their turn. */
const workMs = 20_000;
/** The lease of an item in hand, and how often it is renewed: what a killed process had in hand is free in 10 s. */
const leaseMs = 10_000;
const renewMs = 3_000;
/** After a time in which no turn came: people ask for so much that nothing is left. */
const busyMs = 2_000;
const databaseAwayMs = 4_000;

export type Completion = {
  /** Takes nothing more, and hands back what is in hand. */
  stop(): Promise<void>;
};

/**
 * Starts to ask TIDAL for what it still owes (rule R11), behind all that people wait for and at TIDAL's pace. Any number of
 * API processes may do so: each item is in one hand at a time, under a lease on the database's clock.
 *
 *     waiting --claim--> leased --TIDAL has answered for all--> gone
 *        ^                 |
 *        +-----------------+ failure (backoff up to an hour), time up, SIGTERM, end of the lease
 */
export function startCompletion(library: Library): Completion {
  const { logger } = library;
  const { sql } = library.database;
  const stopping = new AbortController();
  const inHand = new Set<PendingItem>();
  let albumsInHand = 0;
  let tracksAreInHand = false;
  let woken = Promise.withResolvers<void>();

  async function work(items: PendingItem[], complete: (deadline: number) => Promise<void>): Promise<void> {
    for (const item of items) inHand.add(item);
    try {
      await complete(performance.now() + workMs);
    } catch (error) {
      await handBack(items, error);
    } finally {
      // Those that were not finished when the process stops are handed back by `stop`.
      if (!stopping.signal.aborted) for (const item of items) inHand.delete(item);
    }
  }

  async function handBack(items: PendingItem[], error: unknown): Promise<void> {
    if (stopping.signal.aborted) return;
    const tidalIds = items.map(({ tidalId }) => tidalId);
    try {
      if (error instanceof TidalApiError && error.unasked) return await releasePending(sql, items, busyMs);
      logger.warn(
        { event: 'catalog_completion_failed', tidalIds, error: reasonOf(error) },
        'what TIDAL owes is asked for again later',
      );
      await retryPendingLater(sql, items, reasonOf(error));
    } catch (failure) {
      logger.warn(
        { event: 'catalog_completion_failed', tidalIds, error: reasonOf(failure) },
        'not handed back: the lease ends by itself',
      );
    }
  }

  async function completeAlbum(item: PendingAlbum, deadline: number): Promise<void> {
    let { owed } = item;
    while (!stopping.signal.aborted) {
      if (performance.now() >= deadline) return await releasePending(sql, [item]);
      const step = await askMoreOfAlbum(library, { ...item, owed }, deadline);
      if (step.outcome === 'gone') return;
      if (step.outcome === 'complete') {
        logger.info(
          { event: 'catalog_completed', tidalId: item.tidalId, total_tracks: step.totalTracks },
          `album ${item.tidalId} is complete`,
        );
        return;
      }
      owed = step.owed;
    }
  }

  /** @returns whether there was something to take */
  async function take(): Promise<boolean> {
    const limits = {
      albums: albumsAtOnce - albumsInHand,
      tracks: tracksAreInHand ? 0 : tracksAtOnce,
    };
    if (limits.albums === 0 && limits.tracks === 0) return false;
    const { albums, tracks } = await claimPending(sql, limits, leaseMs);
    for (const item of albums) {
      albumsInHand += 1;
      const complete = (deadline: number) => causedBy(item.origin, () => completeAlbum(item, deadline));
      void work([item], complete).then(() => {
        albumsInHand -= 1;
        woken.resolve();
      });
    }
    if (tracks.length > 0) {
      tracksAreInHand = true;
      void work(tracks, deadline => completeTracks(library, tracks, deadline, handBack)).then(() => {
        tracksAreInHand = false;
        woken.resolve();
      });
    }
    return albums.length + tracks.length > 0;
  }

  async function findHoles(): Promise<void> {
    for (const find of [findAlbumsWithHoles, findTracksWithoutIsrc]) {
      let found = 0;
      for (;;) {
        const { judged, owed } = await find(sql);
        found += owed;
        if (judged === 0 || stopping.signal.aborted) break;
      }
      if (found > 0) {
        logger.info(
          { event: 'catalog_holes_found', count: found },
          `${found} items of an older version are completed`,
        );
      }
    }
  }

  async function keepLeases(): Promise<void> {
    while (!stopping.signal.aborted) {
      await pause(renewMs, stopping.signal);
      if (inHand.size === 0 || stopping.signal.aborted) continue;
      // Where this fails, another process may take the items over, and what is written here then changes nothing.
      await renewPending(sql, [...inHand], leaseMs).catch(() => undefined);
    }
  }

  async function run(): Promise<void> {
    let nextLookForHoles = performance.now();
    let isFailing = false;
    while (!stopping.signal.aborted) {
      woken = Promise.withResolvers<void>();
      try {
        if (performance.now() >= nextLookForHoles) {
          await findHoles();
          nextLookForHoles = performance.now() + betweenLooksForHolesMs;
        }
        const hasTaken = await take();
        isFailing = false;
        if (hasTaken) continue;
      } catch (error) {
        const message = isOutage(error) ? 'the database is away' : 'a statement failed';
        // Once, however long it goes on.
        if (!isFailing) logger.warn({ event: 'catalog_completion_failed', error: reasonOf(error) }, message);
        isFailing = true;
        await pause(databaseAwayMs, stopping.signal);
      }
      // What was finished may leave room for more; what is new is found by polling.
      await Promise.race([woken.promise, pause(pollMs, stopping.signal)]);
    }
  }

  const running = Promise.all([run(), keepLeases()]);
  return {
    async stop() {
      stopping.abort();
      await running;
      // Work in hand finds its lease gone when it comes to write. Its answers are not waited for.
      await releasePending(sql, [...inHand]).catch((error: unknown) => {
        logger.warn(
          { event: 'catalog_completion_failed', error: reasonOf(error) },
          'not handed back: the leases end by themselves',
        );
      });
    },
  };
}
