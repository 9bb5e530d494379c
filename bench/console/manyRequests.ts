import type { Sql } from '@segue/database/connection.ts';
import { inChunks } from '../history.ts';

/** Of every thousand settled requests one is dead, 100 are duplicates, 50 were indexed already, and one was discarded. */
const status = `CASE WHEN n % 1000 = 0 THEN 'dead' WHEN n % 10 = 1 OR n % 20 = 2 OR n % 1000 = 3 THEN 'skipped' ELSE 'scheduled' END`;
const reason = `CASE WHEN n % 1000 = 0 THEN '400: data.artworkUrl is no URL' WHEN n % 10 = 1 THEN 'duplicate'
  WHEN n % 20 = 2 THEN 'already_indexed' WHEN n % 1000 = 3 THEN 'discarded' END`;
const texts = `'Song ' || n || ' of the Long Road', 'The Wanderers of ' || n / 12 % 50000, 'Collected Recordings, Volume ' || n / 12,
  'https://resources.tidal.com/images/0f6b1234/1c2d/4e5f/8a9b/1280x1280.jpg'`;

/** The number of settled requests of an album's request: half of all albums were requested as one. */
const tracks = 12;

export const isrcOfSettled = (n: number) => `QZ${String(n).padStart(10, '0')}`;
export const titleOf = (n: number) => `Song ${n} of the Long Road`;
export const artistOf = (n: number) => `The Wanderers of ${Math.floor(n / tracks) % 50_000}`;
export const albumOf = (n: number) => `Collected Recordings, Volume ${Math.floor(n / tracks)}`;
/** The number of the album's request that holds the nth settled request; null for one that was requested by itself. */
export const batchOf = (n: number) => (Math.floor(n / tracks) % 2 === 0 ? Math.floor(n / tracks) + 1 : null);

/** Fills an empty database with a month of settled requests, their ledger and albums, and with open requests. */
export async function addManyRequests(
  sql: Sql,
  { settled, open }: { settled: number; open: number },
): Promise<void> {
  await inChunks(1, settled, (start, end) => addSettled(sql, { start, end: end - 1, settled }));
  await sql`SELECT setval(pg_get_serial_sequence('ingestion_outbox', 'id'), ${settled})`;
  await sql.unsafe(`
    INSERT INTO album_ingestion_batches (id, artist, album, total_tracks, scheduled_count, created_at)
    SELECT 1 + batch, 'The Wanderers of ' || batch % 50000, 'Collected Recordings, Volume ' || batch, ${tracks}, ${tracks},
      now() - interval '30 days' + batch * ${tracks} * (interval '30 days' / ${settled})
    FROM generate_series(0, ${Math.floor(settled / tracks)}, 2) AS batch`);
  // One of a hundred open requests was refused before, and waits for its next attempt.
  await sql.unsafe(`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, artwork_url, created_at, available_at, attempts, last_error)
    SELECT 'GB' || lpad(n::text, 10, '0'), ${texts}, moment,
      CASE WHEN n % 100 = 0 THEN now() + interval '10 minutes' ELSE moment END,
      CASE WHEN n % 100 = 0 THEN 1 ELSE 0 END, CASE WHEN n % 100 = 0 THEN '422: title too long' END
    FROM (SELECT n, now() - (${open} - n) * interval '10 ms' AS moment FROM generate_series(1::bigint, ${open}) AS n) AS made`);
  await sql`VACUUM (ANALYZE) ingestion_outbox, ingestion_ledger, album_ingestion_batches`;
}

async function addSettled(
  sql: Sql,
  { start, end, settled }: { start: number; end: number; settled: number },
): Promise<void> {
  await sql.begin(async transaction => {
    // Triggers have nothing to say about rows that are right.
    await transaction`SET LOCAL session_replication_role = replica`;
    await transaction`SET LOCAL synchronous_commit = off`;
    await transaction.unsafe(`
      WITH requested AS (
        INSERT INTO ingestion_outbox (id, isrc, title, artist, album, artwork_url, status, reason, last_error, attempts, generation,
          created_at, available_at, settled_at, album_batch_id)
        SELECT n, 'QZ' || lpad(n::text, 10, '0'), ${texts}, ${status}, ${reason},
          CASE WHEN n % 1000 = 0 THEN ${reason} END, CASE WHEN n % 1000 = 0 THEN 10 ELSE 0 END, 1, moment, moment,
          moment + interval '1 s', CASE WHEN n / ${tracks} % 2 = 0 THEN n / ${tracks} + 1 END
        FROM (
          SELECT n, now() - interval '30 days' + n * (interval '30 days' / ${settled}) AS moment
          FROM generate_series(${start}::bigint, ${end}) AS n
        ) AS made
        RETURNING isrc, id, created_at, status, reason
      )
      INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at, indexed_at, dead_reason)
      SELECT isrc, id, 1, CASE status WHEN 'scheduled' THEN created_at END, CASE status WHEN 'scheduled' THEN created_at END,
        CASE status WHEN 'dead' THEN reason END
      FROM requested WHERE status <> 'skipped'`);
  });
}
