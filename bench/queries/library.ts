import type { Sql } from '@segue/database/connection.ts';

const boxSets = { albums: 300, tracks: 75 };
const largest = { albums: 40, tracks: 300 };
const singleTracks = 6_000;

/**
 * A library as large as any: albums of 75 and of 300 tracks, the largest first, and single tracks, with names as long as
 * they come. What became of the recordings is known of all of them.
 *
 * @param userId of a server without tokens: `local`
 */
export async function fillLibrary(sql: Sql, userId: string): Promise<void> {
  const title = `'A Title of a Track as Long as They Come (Remastered, Live at the Old Hall) ' || lpad(n::text, 6, '0')`;
  const isrc = (n: string) => `'XX' || lpad((${n})::text, 10, '0')`;
  await sql.unsafe(
    `INSERT INTO library_tracks
      (user_id, tidal_track_id, title, artist_name, album_name, duration, cover_art_url, explicit, isrc)
    SELECT $1, n::text, ${title}, 'Some Artist and Their Orchestra', ${title}, 300,
      'https://resources.tidal.com/images/0f6b1c2d/4e5f/8a9b/1c2d/0f6b1c2d4e5f/1280x1280.jpg', false, ${isrc('n')}
    FROM generate_series(1, ${singleTracks}) AS n`,
    [userId],
  );
  let offset = singleTracks;
  for (const { albums, tracks, artist } of [
    { ...largest, artist: 'A Band' },
    { ...boxSets, artist: 'Some Artist and Their Orchestra' },
  ]) {
    await sql.unsafe(
      `INSERT INTO library_albums
        (user_id, tidal_album_id, title, artist_name, cover_art_url, release_date, track_count, track_listing, tracks_owed)
      SELECT $1, (n + ${offset})::text, ${title}, $2,
        'https://resources.tidal.com/images/0f6b1c2d/4e5f/8a9b/1c2d/0f6b1c2d4e5f/1280x1280.jpg', '1997-05-21', ${tracks},
        (SELECT jsonb_agg(jsonb_build_object('position', k, 'title', ${title} || k, 'duration', 300, 'tidalId',
          (100000000 + n * ${tracks} + k)::text, 'explicit', false, 'isrc', ${isrc(`${offset} + n * ${tracks} + k`)}))
        FROM generate_series(1, ${tracks}) AS k), 0
      FROM generate_series(1, ${albums}) AS n`,
      [userId, artist],
    );
    offset += (albums + 1) * tracks;
  }
  await sql.unsafe(`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, status, settled_at)
    SELECT ${isrc('n')}, 'Title', 'Artist', 'Album', 'scheduled', now() FROM generate_series(1, ${offset}) AS n`);
  await sql`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at)
    SELECT isrc, id, 1, now() FROM ingestion_outbox`;
  await sql`VACUUM ANALYZE`;
}
