import type { Sql } from '@segue/database/connection.ts';
import { newIsrc, newTidalId } from './catalog.ts';

/** Stores items past the catalogue, with the columns that a test is about. */
export function itemsIn(database: { readonly sql: Sql }) {
  return {
    /** @returns the id */
    async track(
      userId: string,
      given: { artist?: string; title?: string; isrc?: string | null; createdAt?: Date } = {},
    ): Promise<string> {
      const { artist = 'ABBA', title = 'Waterloo', isrc = newIsrc(), createdAt = new Date() } = given;
      const [row] = await database.sql<[{ id: string }]>`
        INSERT INTO library_tracks
          (user_id, tidal_track_id, title, artist_name, album_name, duration, explicit, isrc, created_at)
        VALUES (${userId}, ${newTidalId()}, ${title}, ${artist}, '', 1, false, ${isrc}, ${createdAt})
        RETURNING id`;
      return row.id;
    },

    /** @returns the id */
    async album(
      userId: string,
      given: { artist?: string; title?: string; isrcs?: (string | null)[]; createdAt?: Date } = {},
    ): Promise<string> {
      const { artist = 'ABBA', title = 'Arrival', isrcs = [], createdAt = new Date() } = given;
      const listing = isrcs.map((isrc, index) => ({
        position: index + 1,
        title: `Track ${index + 1}`,
        duration: 1,
        tidalId: newTidalId(),
        explicit: false,
        isrc,
      }));
      const [row] = await database.sql<[{ id: string }]>`
        INSERT INTO library_albums
          (user_id, tidal_album_id, title, artist_name, track_count, track_listing, created_at)
        VALUES (${userId}, ${newTidalId()}, ${title}, ${artist}, ${isrcs.length},
          ${database.sql.json(listing)}, ${createdAt})
        RETURNING id`;
      return row.id;
    },

    /** Writes down what became of a recording, as relays would. */
    async became(isrc: string, status: 'SCHEDULED' | 'INDEXED' | 'FAILED'): Promise<void> {
      await database.sql`
        WITH request AS (
          INSERT INTO ingestion_outbox (isrc, title, artist, album, status, settled_at)
          VALUES (${isrc}, 'Waterloo', 'ABBA', '', ${status === 'FAILED' ? 'dead' : 'scheduled'},
            now() + interval '1 minute')
          RETURNING id
        )
        INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at, indexed_at, dead_reason)
        SELECT ${isrc}, id, 1,
          CASE WHEN ${status} <> 'FAILED' THEN now() END,
          CASE WHEN ${status} = 'INDEXED' THEN now() END,
          CASE WHEN ${status} = 'FAILED' THEN 'event too large' END
        FROM request`;
    },
  };
}
