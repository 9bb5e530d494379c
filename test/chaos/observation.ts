import type { Sql } from '@segue/database/connection.ts';
import { readIsrc } from '@segue/ingestion/isrc.ts';
import type { Catalogue } from '@segue/stand-ins/tidal/catalogue.ts';
import type { AlbumCount, LedgerEntry, Row } from './model.ts';

/** Of a {@link Row}. */
export const rowColumns = (sql: Sql) => sql`
  title, isrc, artist, album, force, status, reason, generation, attempts, last_error AS "lastError",
  settled_at IS NOT NULL AND status IN ('scheduled', 'skipped', 'dead') AS settled`;

/** What the tables say, as the model looks at it. */
export async function readTables(
  sql: Sql,
): Promise<{ rows: Row[]; ledger: LedgerEntry[]; albums: AlbumCount[] }> {
  const rows = await sql<Row[]>`
    SELECT ${rowColumns(sql)} FROM ingestion_outbox ORDER BY id`;
  const ledger = await sql<LedgerEntry[]>`
    SELECT isrc, generation, sent_at IS NOT NULL AS sent FROM ingestion_ledger`;
  const albums = await sql<AlbumCount[]>`
    SELECT batch.id, total_tracks AS total, scheduled_count + skipped_count + dead_count AS counted,
      count(request.id) FILTER (WHERE request.settled_at IS NOT NULL)::int AS settled
    FROM album_ingestion_batches AS batch
    LEFT JOIN ingestion_outbox AS request ON request.album_batch_id = batch.id
    GROUP BY batch.id`;
  return { rows, ledger, albums };
}

/** An item of the library; a track is a listing of one. ISRCs are canonical, and null where none that is valid was given. */
type LibraryItem = { tidalId: string; listing: { title: string; isrc: string | null }[] };

/** What the library holds. */
export async function readLibrary(sql: Sql): Promise<LibraryItem[]> {
  const items = await sql<LibraryItem[]>`
    SELECT tidal_track_id AS "tidalId",
      jsonb_build_array(jsonb_build_object('title', title, 'isrc', isrc)) AS listing
    FROM library_tracks
    UNION ALL
    SELECT tidal_album_id, track_listing FROM library_albums`;
  return items.map(({ tidalId, listing }) => ({
    tidalId,
    listing: listing.map(({ title, isrc }) => {
      const reading = readIsrc(isrc);
      return { title, isrc: 'isrc' in reading ? reading.isrc : null };
    }),
  }));
}

/** Inserts that are still under way, those included that nobody waits for any more. */
export async function countInserts(sql: Sql): Promise<number> {
  const [answer] = await sql<[{ inserts: number }]>`
    SELECT count(*)::int AS inserts FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'active' AND query LIKE '%INSERT INTO ingestion_outbox%'
      AND pid <> pg_backend_pid()`;
  return answer.inserts;
}

/** Rows that are not settled. */
export async function countOpen(sql: Sql): Promise<number> {
  const [answer] = await sql<[{ open: number }]>`
    SELECT count(*)::int AS open FROM ingestion_outbox
    WHERE settled_at IS NULL`;
  return answer.open;
}

/** Items of which TIDAL owes something. */
export async function countOwed(sql: Sql): Promise<number> {
  const [answer] = await sql<[{ owed: number }]>`SELECT count(*)::int AS owed FROM ingestion_catalog_pending`;
  return answer.owed;
}

/** Rule R11, once TIDAL has answered for all: every album is whole, and owes nothing. */
export async function readBrokenAlbums(sql: Sql, { albums }: Catalogue): Promise<string[]> {
  const rows = await sql<{ tidalId: string; listed: number; owed: number | null }[]>`
    SELECT tidal_album_id AS "tidalId", jsonb_array_length(track_listing) AS listed, tracks_owed AS owed
    FROM library_albums`;
  const lengths = new Map(albums.map(album => [album.id, album.items.length]));
  return rows
    .filter(({ tidalId, listed, owed }) => listed !== lengths.get(tidalId) || owed !== 0)
    .map(
      ({ tidalId, listed, owed }) =>
        `R11: album ${tidalId} has ${listed} of ${lengths.get(tidalId)} tracks, and ${owed} are owed`,
    );
}

/** Makes the table of the days that have passed. */
export async function startCalendar(sql: Sql): Promise<void> {
  await sql`CREATE TABLE chaos_days (at timestamptz NOT NULL DEFAULT now())`;
}

/** Notes that a day has passed: rows of before are of another dedupe window. */
export async function noteADay(sql: Sql): Promise<void> {
  await sql`INSERT INTO chaos_days DEFAULT VALUES`;
}

/** With its own priority a recording that is sent anew would wait at Inngest for ten minutes. */
export async function sendAnewAtOnce(sql: Sql): Promise<void> {
  await sql.unsafe(`
    CREATE FUNCTION at_once() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.priority := 0; RETURN NEW; END';
    CREATE TRIGGER at_once BEFORE INSERT ON ingestion_outbox
      FOR EACH ROW WHEN (NEW.priority = -600) EXECUTE FUNCTION at_once()`);
}

/** Lets a day pass: what was sent until now is out of the dedupe window of 24 h. */
export async function passADay(sql: Sql): Promise<void> {
  await sql`
    UPDATE ingestion_ledger SET sent_at = sent_at - interval '25 hours'`;
}

/** Rows that were open and due at a moment on the database's clock. */
export type Held = { at: Date; ids: number[] };

export async function readHeld(sql: Sql): Promise<Held> {
  const rows = await sql<{ at: Date; id: number | null }[]>`
    SELECT now() AS at, request.id
    FROM (SELECT 1) AS always
    LEFT JOIN ingestion_outbox AS request ON request.settled_at IS NULL AND request.available_at <= now()`;
  return { at: (rows[0] as { at: Date }).at, ids: rows.flatMap(({ id }) => id ?? []) };
}

/** ms from that moment until the last of these rows was settled; 0 when there were none. */
export async function lastSettled(sql: Sql, { at, ids }: Held): Promise<number> {
  const [answer] = await sql<[{ ms: number }]>`
    SELECT coalesce(extract(epoch FROM max(settled_at) - ${at}::timestamptz) * 1000, 0)::float8 AS ms
    FROM ingestion_outbox WHERE id = ANY(${ids}::bigint[])`;
  return answer.ms;
}
