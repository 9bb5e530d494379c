import type { Queryable } from '@segue/database/connection.ts';
import { unreadListing } from '@segue/tidal/albums/listingReader.ts';

/** Small enough to hold no lock for long. */
const itemsAtOnce = 500;

/** How many items were looked at, and of how many TIDAL is asked from now on. */
export type Found = { judged: number; owed: number };

/**
 * Finds albums that a version without rule R11 has stored with holes: fewer tracks than TIDAL counts items, or tracks
 * without an ISRC. Whether TIDAL has more of them is not known, so each of them is asked for once, from its first page.
 *
 * Such a version may go on running beside this one, so this is repeated.
 */
export async function findAlbumsWithHoles(db: Queryable): Promise<Found> {
  const [found] = await db<[Found]>`
    WITH page AS MATERIALIZED (
      SELECT id, greatest(0, track_count - jsonb_array_length(track_listing))
        + (SELECT count(*)::int FROM jsonb_array_elements(track_listing) AS track WHERE track->>'isrc' IS NULL)
        AS owed
      FROM library_albums WHERE tracks_owed IS NULL
      ORDER BY id LIMIT ${itemsAtOnce}::int FOR UPDATE SKIP LOCKED
    ),
    judged AS (
      UPDATE library_albums AS album SET tracks_owed = page.owed FROM page WHERE album.id = page.id
      RETURNING album.id, album.tidal_album_id, album.track_count, album.tracks_owed
    ),
    noted AS (
      INSERT INTO catalog_pending (item_id, kind, tidal_id, tracks_owed, owed)
      SELECT id, 'album', tidal_album_id, tracks_owed,
        ${JSON.stringify(unreadListing(null))}::text::jsonb || jsonb_build_object('expectedItems', track_count)
      FROM judged WHERE tracks_owed > 0
      ON CONFLICT (item_id) DO NOTHING
      RETURNING item_id
    )
    SELECT (SELECT count(*)::int FROM judged) AS judged, (SELECT count(*)::int FROM noted) AS owed`;
  return found;
}

/** The same for single tracks without an ISRC. */
export async function findTracksWithoutIsrc(db: Queryable): Promise<Found> {
  const [found] = await db<[Found]>`
    WITH page AS MATERIALIZED (
      SELECT id FROM library_tracks WHERE isrc_owed IS NULL
      ORDER BY id LIMIT ${itemsAtOnce}::int FOR UPDATE SKIP LOCKED
    ),
    judged AS (
      UPDATE library_tracks AS track SET isrc_owed = track.isrc IS NULL FROM page WHERE track.id = page.id
      RETURNING track.id, track.tidal_track_id, track.isrc_owed
    ),
    noted AS (
      INSERT INTO catalog_pending (item_id, kind, tidal_id, tracks_owed)
      SELECT id, 'track', tidal_track_id, 1 FROM judged WHERE isrc_owed
      ON CONFLICT (item_id) DO NOTHING
      RETURNING item_id
    )
    SELECT (SELECT count(*)::int FROM judged) AS judged, (SELECT count(*)::int FROM noted) AS owed`;
  return found;
}
