import { expect, test } from 'vitest';
import { newUser, useLibrary } from '../test/library.ts';
import { addAlbum } from './addAlbum.ts';
import { addTrack } from './addTrack.ts';

const here = useLibrary();

test('whether an item is there is looked up in its own index, also in a library that has grown since', async () => {
  const userId = newUser();
  await here.sql`
    INSERT INTO library_tracks (user_id, tidal_track_id, title, artist_name, album_name, duration, explicit)
    VALUES (${userId}, '1', 'Title', 'Artist', 'Album', 1, false)`;
  await here.sql`
    INSERT INTO library_albums (user_id, tidal_album_id, title, artist_name, track_count, track_listing)
    VALUES (${userId}, '1', 'Title', 'Artist', 1, '[]')`;
  const session = await here.database.sql.reserve();
  try {
    const library = { ...here.libraryWith(), database: { ...here.database, sql: session } };
    const lookUp = async () => {
      expect(await addTrack(library, userId, '1')).toMatchObject({ outcome: 'duplicate' });
      expect(await addAlbum(library, userId, '1')).toMatchObject({ outcome: 'duplicate' });
    };
    const entriesRead = async () => {
      await session`SELECT pg_stat_force_next_flush()`;
      const [read] = await session<[{ entries: string }]>`
        SELECT sum(idx_tup_read) AS entries FROM pg_stat_user_indexes WHERE indexrelname LIKE 'library_%'`;
      return Number(read.entries);
    };

    // The sixth time PostgreSQL may settle for a plan for any values.
    for (let times = 0; times < 10; times++) await lookUp();
    await here.sql`
      INSERT INTO library_tracks (user_id, tidal_track_id, title, artist_name, album_name, duration, explicit)
      SELECT ${userId}, n::text, 'Title', 'Artist', 'Album', 1, false FROM generate_series(2, 3000) AS n`;
    await here.sql`
      INSERT INTO library_albums (user_id, tidal_album_id, title, artist_name, track_count, track_listing)
      SELECT ${userId}, n::text, 'Title', 'Artist', 1, '[]' FROM generate_series(2, 3000) AS n`;
    const before = await entriesRead();
    await lookUp();
    expect((await entriesRead()) - before).toBe(2);
  } finally {
    session.release();
  }
});
