import { setTimeout as wait } from 'node:timers/promises';
import type { Sql } from '@segue/database/connection.ts';
import { storeAndEnqueue } from '@segue/outbox/enqueue.ts';
import type { Recording } from './recordings.ts';

const tickMs = 2;

/**
 * Makes additions evenly over time, whether or not those before have ended: what is slow falls behind, and is
 * not spared.
 *
 * @param add gets the number of the addition
 * @throws what an addition throws
 */
export async function addSteadily(
  { perSecond, seconds }: { perSecond: number; seconds: number },
  add: (number: number) => Promise<void>,
): Promise<void> {
  const total = Math.round(perSecond * seconds);
  const start = performance.now();
  const underWay: Promise<void>[] = [];
  while (underWay.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - start) / 1_000) * perSecond) + 1);
    while (underWay.length < due) {
      const addition = add(underWay.length);
      // What it throws is thrown at the end, with all the others ended.
      addition.catch(() => undefined);
      underWay.push(addition);
    }
    await wait(tickMs);
  }
  await Promise.all(underWay);
}

/** Stores a track for some user and requests its ingestion, with the API's statement but without its HTTP. */
export async function addTrack(sql: Sql, recording: Recording): Promise<void> {
  await storeAndEnqueue(sql, storeTrack(sql, recording), recording);
}

/** Stores a track for some user, and no more. */
export function storeTrack(sql: Sql, { isrc, title, artist, album, artworkUrl }: Recording) {
  return sql`
    INSERT INTO library_tracks
      (user_id, tidal_track_id, title, artist_name, album_name, duration, cover_art_url, explicit, isrc)
    VALUES (gen_random_uuid(), ${isrc}, ${title}, ${artist}, ${album}, 180, ${artworkUrl}, false, ${isrc})
    RETURNING id`;
}
