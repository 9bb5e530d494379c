import { sql } from 'drizzle-orm';
import type { Database } from '../database.ts';
import { type IngestionStatus, ingestionStatuses } from './status.ts';
import { ledgerJoins, statusCase } from './statusInSql.ts';

/** What became of the recordings of an album, each track of its listing counted. */
export type AlbumIngestion = {
  total: number;
  /** All but those that are NOT_REQUESTED. */
  requested: number;
  scheduled: number;
  indexed: number;
  failed: number;
};

/**
 * What became of the recordings of albums, in one statement. Counted where the listings are: none of them leaves the
 * database for it.
 *
 * @returns one answer an id, in their order; zeros for an album that is gone
 */
export async function readAlbumIngestions(
  { drizzle }: Database,
  albumIds: string[],
): Promise<AlbumIngestion[]> {
  const status = statusCase({
    isrc: sql`listed.isrc`,
    title: sql`listed.title`,
    requestedAt: sql`album.created_at`,
  });
  const rows = await drizzle.execute<{ id: string; status: IngestionStatus; count: number }>(sql`
    SELECT id, status, count(*)::int AS count
    FROM (
      SELECT album.id, ${status} AS status
      FROM library_albums AS album
      CROSS JOIN LATERAL jsonb_to_recordset(album.track_listing) AS listed (isrc text, title text)
      ${ledgerJoins(sql`listed.isrc`)}
      WHERE album.id = ANY(${sql.param(albumIds)}::uuid[])
    ) AS recording
    GROUP BY id, status`);
  const counts = new Map(rows.map(({ id, status, count }) => [`${id} ${status}`, count]));
  return albumIds.map(id => {
    const [notRequested, pending, scheduled, indexed, failed] = ingestionStatuses.map(
      status => counts.get(`${id} ${status}`) ?? 0,
    ) as [number, number, number, number, number];
    const requested = pending + scheduled + indexed + failed;
    return { total: requested + notRequested, requested, scheduled, indexed, failed };
  });
}
