import type { Sql } from '@segue/database/connection.ts';

let items = 0;

/** An ISRC that no other item of the file has. */
export function newIsrc(): string {
  return `TESTS${String(++items).padStart(7, '0')}`;
}

/** Puts a single track into a library, as if it had been there before there was an outbox. */
export async function addTrack(sql: Sql, given: Record<string, unknown> = {}): Promise<string> {
  const isrc = newIsrc();
  const track = {
    user_id: 'ada',
    tidal_track_id: isrc,
    title: 'So What',
    artist_name: 'Miles Davis',
    album_name: 'Kind of Blue',
    duration: 545,
    explicit: false,
    isrc,
    ...given,
  };
  await sql`INSERT INTO library_tracks ${sql(track)}`;
  return isrc;
}

/** The same for an album with a track for each ISRC. */
export async function addAlbum(
  sql: Sql,
  isrcs: (string | null)[],
  given: Record<string, unknown> = {},
): Promise<void> {
  const listing = isrcs.map((isrc, at) => ({
    position: at + 1,
    title: `Track ${at + 1}`,
    duration: 200,
    tidalId: `${at}`,
    explicit: false,
    isrc,
  }));
  const album = {
    user_id: 'ada',
    tidal_album_id: newIsrc(),
    title: 'Kind of Blue',
    artist_name: 'Miles Davis',
    track_count: isrcs.length,
    ...given,
  };
  const [{ id }] = await sql<[{ id: string }]>`
    INSERT INTO library_albums ${sql({ ...album, track_listing: sql.json([]) })} RETURNING id`;
  await sql`UPDATE library_albums SET track_listing = ${JSON.stringify(listing)}::text::jsonb WHERE id = ${id}`;
}
