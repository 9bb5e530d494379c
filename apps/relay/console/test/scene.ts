import type { Sql } from '@segue/database/connection.ts';

const albums = [
  ['Miles Davis', 'Kind of Blue'],
  ['Nina Simone', 'Pastel Blues'],
  ['Kraftwerk', 'Computerwelt'],
  ['Björk', 'Homogenic'],
  ['Fela Kuti', 'Zombie'],
  ['Joni Mitchell', 'Hejira'],
  ['Radiohead', 'In Rainbows'],
  ['Cesária Évora', 'Miss Perfumado'],
] as const;
const titles = [
  'So What',
  'Sinnerman',
  'Taschenrechner',
  'Jóga',
  'Mister Follow Follow',
  'Amelia',
  'Weird Fishes / Arpeggi',
  'Sodade',
] as const;

const minutesAway = 14;

export type SceneOptions = { waiting?: number; settled?: number };

/**
 * Fills an empty database with what a person is called for: requests that wait, one that Inngest refuses for what it is,
 * an album for which TIDAL does not answer, two relays, and a week of figures. Nothing has been sent for some 14 minutes,
 * in which all that waits was requested.
 *
 * @returns since when Inngest takes nothing
 */
export async function fillScene(
  sql: Sql,
  { waiting = 200, settled = 2_000 }: SceneOptions = {},
): Promise<{ awaySince: Date }> {
  const [{ awaySince }] = await sql<[{ awaySince: Date }]>`
    SELECT date_trunc('minute', now()) - ${minutesAway}::int * interval '1 minute' AS "awaySince"`;
  const names = albums.map(([artist]) => artist);
  const records = albums.map(([, album]) => album);
  await sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, status, reason, created_at, settled_at, generation)
    SELECT 'US' || 'SEG' || lpad(n::text, 7, '0'), (${[...titles]}::text[])[1 + n % 8], (${names}::text[])[1 + n % 8],
      (${records}::text[])[1 + n % 8], CASE WHEN n % 9 = 0 THEN 'skipped' ELSE 'scheduled' END,
      CASE WHEN n % 18 = 0 THEN 'already_indexed' WHEN n % 9 = 0 THEN 'duplicate' END,
      moment, moment + interval '0.4 s', 1
    FROM generate_series(1, ${settled}::int) AS n,
      LATERAL (SELECT ${awaySince}::timestamptz - interval '1 s' - (${settled}::int - n) * interval '40 seconds' AS moment) AS made`;
  await sql`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at, indexed_at)
    SELECT isrc, id, 1, settled_at, CASE WHEN id % 3 > 0 THEN settled_at + interval '21 seconds' END
    FROM ingestion_outbox WHERE status = 'scheduled'`;
  await sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, created_at, available_at, request_id)
    SELECT 'GB' || 'SEG' || lpad(n::text, 7, '0'), (${[...titles]}::text[])[1 + n % 8], (${names}::text[])[1 + n % 8],
      (${records}::text[])[1 + n % 8], moment, moment, gen_random_uuid()
    FROM generate_series(1, ${waiting}::int) AS n,
      LATERAL (SELECT ${awaySince}::timestamptz + (n - 1) * (now() - ${awaySince}::timestamptz) / ${waiting}::int AS moment) AS made`;
  await sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, status, reason, last_error, attempts, created_at, settled_at)
    VALUES ('QMSEG0000666', 'Untitled (Poison)', 'Unknown Artist', 'Demo', 'dead',
      '400: data.artworkUrl is no URL', '400: data.artworkUrl is no URL', 10, now() - interval '52 minutes', now() - interval '49 minutes')`;
  const [batch] = await sql<[{ id: number }]>`
    INSERT INTO album_ingestion_batches (artist, album, total_tracks, scheduled_count, created_at)
    VALUES ('Alice Coltrane', 'Journey in Satchidananda', 6, 2, now() - interval '3 hours') RETURNING id`;
  await sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, status, created_at, settled_at, generation, album_batch_id)
    SELECT 'USAC' || lpad(n::text, 8, '0'), (ARRAY['Journey in Satchidananda', 'Shiva-Loka'])[n], 'Alice Coltrane',
      'Journey in Satchidananda', 'scheduled', now() - interval '3 hours', now() - interval '3 hours' + interval '1 s', 1, ${batch.id}
    FROM generate_series(1, 2) AS n`;
  const [album] = await sql<[{ id: string }]>`
    INSERT INTO library_albums (user_id, tidal_album_id, title, artist_name, track_count, track_listing, tracks_owed)
    VALUES ('ada', '77', 'Journey in Satchidananda', 'Alice Coltrane', 6, '[]', 4) RETURNING id`;
  await sql`
    INSERT INTO catalog_pending (item_id, kind, tidal_id, tracks_owed, album_batch_id, created_at, available_at, attempts,
      failing_since, last_error)
    VALUES (${album.id}, 'album', '77', 4, ${batch.id}, now() - interval '3 hours', now() + interval '11 minutes', 17,
      now() - interval '2 hours', '503 Service Unavailable')`;
  await sql`
    INSERT INTO relays (id, host, version, since, state) VALUES
      ('6f2c0de4-0000-4000-8000-000000000001', 'relay-7d9f-x2k4p', '0.1.0', now() - interval '6 days', 'running'),
      ('6f2c0de4-0000-4000-8000-000000000002', 'relay-7d9f-q8m1z', '0.1.0', now() - interval '2 days', 'running')`;
  await sql`
    UPDATE relay_slots SET owner = ('6f2c0de4-0000-4000-8000-00000000000' || 1 + slot % 2)::uuid,
      lease_end = now() + interval '10 minutes', epoch = 4`;
  await sql`
    INSERT INTO ingestion_actions (at, actor, action, reason, rows, selection, source, outbox_ids) VALUES
      (now() - interval '5 hours', 'Ada', 'pause', 'Inngest asked us to stop for its migration', 0, '{}', 'segue-console', '{}'),
      (now() - interval '4 hours', 'Ada', 'resume', 'the migration is over', 0, '{}', 'segue-console', '{}'),
      (now() - interval '2 hours', 'grace', 'requeue', 'the worker takes long titles again', 1204,
        '{"filter": {"error": "title too long", "status": "dead"}}', 'segue-outbox', '{}')`;
  await fillFigures(sql, waiting / minutesAway);
  return { awaySince };
}

/** A week of minutes up to now, with evenings and an outage in them. So many were requested in each of the last. */
async function fillFigures(sql: Sql, requested: number): Promise<void> {
  await sql`
    INSERT INTO ingestion_figures (minute, requested, scheduled, already_indexed, duplicate, dead, lag)
    SELECT minute, load, CASE WHEN away OR back BETWEEN 300 AND 330 THEN 0 ELSE load - load / 8 END,
      CASE WHEN away THEN 0 ELSE load / 16 END, CASE WHEN away THEN 0 ELSE load / 16 END,
      CASE WHEN back IN (49, 200) THEN 1 ELSE 0 END,
      CASE WHEN away THEN '{}'::int[] ELSE ARRAY[0, load / 100, load / 20, load / 2, load / 3, load / 16, CASE WHEN back % 37 = 0 THEN load / 5 ELSE load / 200 END] END
    FROM generate_series(0, 7 * 1440) AS back,
      LATERAL (
        SELECT date_trunc('minute', now()) - back * interval '1 minute' AS minute, back <= ${minutesAway}::int AS away,
          (${requested}::float8 * (0.8 + 0.5 * sin(back / 229.0 + 0.4) + 0.13 * sin(back / 6.0) + 0.07 * sin(back * 1.7))
            * CASE WHEN back = 0 THEN extract(second FROM now()) / 60 ELSE 1 END)::int AS load
      ) AS shape`;
}
