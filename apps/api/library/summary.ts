import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../database.ts';
import { ledgerJoins, statusCase } from '../ingestion/statusInSql.ts';

/** How many items a library has. */
export type ItemCounts = { tracks: number; albums: number };

/** What became of the recordings of a library. Each counts once, on however many items it is. */
export type RecordingCounts = {
  indexed: number;
  /** Requested, and neither indexed nor failed so far. */
  pending: number;
  failed: number;
};

export async function countItemsOf({ drizzle }: Database, userId: string): Promise<ItemCounts> {
  const [counts] = await drizzle.execute<ItemCounts>(sql`
    SELECT (SELECT count(*)::int FROM library_tracks WHERE user_id = ${userId}) AS tracks,
      (SELECT count(*)::int FROM library_albums WHERE user_id = ${userId}) AS albums`);
  return counts as ItemCounts;
}

/** A recording that is on several items counts as the one that was requested last. */
export async function countRecordingsOf({ drizzle }: Database, userId: string): Promise<RecordingCounts> {
  const recording = {
    isrc: sql`recording.isrc`,
    title: sql`recording.title`,
    requestedAt: sql`recording.created_at`,
  };
  const [counts] = await drizzle.execute<RecordingCounts>(sql`
    WITH held AS (
      SELECT isrc, title, created_at FROM library_tracks WHERE user_id = ${userId}
      UNION ALL
      SELECT listed.isrc, listed.title, album.created_at
      FROM library_albums AS album, jsonb_to_recordset(album.track_listing) AS listed (isrc text, title text)
      WHERE album.user_id = ${userId}
    ),
    recording AS MATERIALIZED (
      SELECT DISTINCT ON (isrc COLLATE "C") isrc, title, created_at FROM held
      WHERE isrc IS NOT NULL ORDER BY isrc COLLATE "C", created_at DESC
    )
    SELECT ${count(sql`'INDEXED'`)} AS indexed, ${count(sql`'PENDING', 'SCHEDULED'`)} AS pending,
      ${count(sql`'FAILED'`)} AS failed
    FROM (
      -- OFFSET lets PostgreSQL decide on each status once, and not for each count: a quarter less of the time.
      SELECT ${statusCase(recording)} AS status FROM recording ${ledgerJoins(recording.isrc)} OFFSET 0
    ) AS known`);
  return counts as RecordingCounts;
}

function count(statuses: SQL): SQL {
  return sql`(count(*) FILTER (WHERE status IN (${statuses})))::int`;
}
