import type { Queryable } from '@segue/database/connection.ts';
import { longestRead } from './cut.ts';

/** A request of an album: how many of its rows are where. */
export type AlbumBatch = {
  id: number;
  artist: string | null;
  album: string | null;
  requestedAt: Date;
  /** With those that TIDAL owes. */
  total: number;
  scheduled: number;
  skipped: number;
  dead: number;
};

/**
 * The newest albums first, a page at a time.
 *
 * @param before only albums with a lower id
 */
export function readAlbums(
  db: Queryable,
  { limit = 50, before }: { limit?: number; before?: number | undefined } = {},
): Promise<AlbumBatch[]> {
  return db<AlbumBatch[]>`
    SELECT id, left(artist, ${longestRead}::int) AS artist, left(album, ${longestRead}::int) AS album,
      created_at AS "requestedAt", total_tracks AS total, scheduled_count AS scheduled, skipped_count AS skipped,
      dead_count AS dead
    FROM album_ingestion_batches WHERE id < ${before ?? Number.MAX_SAFE_INTEGER}
    ORDER BY id DESC LIMIT ${Math.min(Math.max(1, limit), 1_000)}`;
}

export async function readAlbum(db: Queryable, id: number): Promise<AlbumBatch | null> {
  const [album] = await readAlbums(db, { limit: 1, before: id + 1 });
  return album?.id === id ? album : null;
}
