import type { Sql } from '@segue/database/connection.ts';
import { isrcInSql } from './recordings.ts';

/** Numbers of recordings that nothing else in the benchmarks asks for. */
const pendingFrom = 10_000_000;
/** Every twentieth pending row repeats a recording that was asked for some batches before: 5 %, as always. */
const repeatedAfter = 1_001;
/** Rows a transaction; two transactions at a time keep two cores busy. */
const chunk = 250_000;
const atATime = 2;

/** Of the usual length; nothing looks at them. */
const texts = `'A Song of the Long Road (Remastered 1999)', 'The Wanderers of the Valley', 'Collected Recordings, Volume 7',
  'https://resources.tidal.com/images/0f6b1234/1c2d/4e5f/8a9b/1280x1280.jpg'`;

/**
 * Adds settled requests and their ledger rows, as a relay has left them over the last weeks, and vacuums. Their
 * ISRCs lie evenly between all others, in the order of the ledger's index: built row by row all over the place,
 * it would take minutes.
 *
 * @param from how many there are already
 */
export async function addHistory(sql: Sql, from: number, count: number): Promise<void> {
  await inChunks(from, count, (start, end) =>
    sql.begin(async transaction => {
      // Triggers have nothing to say about rows that are right.
      await transaction`SET LOCAL session_replication_role = replica`;
      await transaction`SET LOCAL synchronous_commit = off`;
      await transaction.unsafe(`
        WITH requested AS (
          INSERT INTO ingestion_outbox (isrc, title, artist, album, artwork_url, status, generation,
            created_at, available_at, settled_at)
          SELECT 'QZ' || lpad((n * 100)::text, 9, '0') || 'A', ${texts}, 'scheduled', 1,
            moment, moment + interval '30 s', moment + interval '1 s'
          FROM (
            SELECT n, now() - interval '30 days' + n * interval '0.2 s' AS moment
            FROM generate_series(${start}, ${end - 1}) AS n
          ) AS history
          RETURNING isrc, id, created_at
        )
        INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at)
        SELECT isrc, id, 1, created_at FROM requested`);
    }),
  );
  await sql`VACUUM (ANALYZE) ingestion_outbox`;
  await sql`VACUUM (ANALYZE) ingestion_ledger`;
}

/**
 * Adds requests whose texts have other lengths: every tenth has 300 KiB, every other tenth 40 KiB, and every four-hundredth
 * 2.9 MiB. Half of the long texts have letters that take two bytes each in a process.
 */
export async function addLongTexts(sql: Sql, count: number): Promise<void> {
  await sql.unsafe(`
    INSERT INTO ingestion_outbox (isrc, title, artist, album)
    SELECT ${isrcInSql('n')}, 'Long', 'Texts', CASE
      WHEN n % 400 = 0 THEN repeat('a', 2900 * 1024)
      WHEN n % 20 = 0 THEN repeat('a', 300 * 1024)
      WHEN n % 10 = 0 THEN repeat('ж', 150 * 1024)
      WHEN n % 10 = 5 THEN repeat('ж', 20 * 1024)
      ELSE 'Short' END
    FROM generate_series(${pendingFrom + 1}::bigint, ${pendingFrom + count}) AS n`);
}

/**
 * Adds requests that are due, one every 5 ms until now, and vacuums, as autovacuum does within a minute. Left to that,
 * a vacuum of a million rows falls into the first measurements behind a long history, and none into those without:
 * claim and settlement took 1.3 to 1.4 times as long while it ran, and 1.0 to 1.1 times after it.
 *
 * @param from how many of them there have been already
 */
export async function addPending(sql: Sql, from: number, count: number): Promise<void> {
  await inChunks(pendingFrom + from, count, (start, end) =>
    sql.unsafe(`
      INSERT INTO ingestion_outbox (isrc, title, artist, album, artwork_url, created_at)
      SELECT ${isrcInSql('wanted')}, ${texts}, now() - (${pendingFrom + from + count} - n) * interval '5 ms'
      FROM generate_series(${start}::bigint, ${end - 1}) AS n,
        LATERAL (SELECT CASE n % 20 WHEN 19 THEN n - ${repeatedAfter} ELSE n END AS wanted) AS recording`),
  );
  await sql`VACUUM (ANALYZE) ingestion_outbox`;
}

/**
 * Inserts rows in transactions of a quarter of a million, two at a time.
 *
 * @param insert is given the first number of a transaction, and the one behind its last
 */
export async function inChunks(
  from: number,
  count: number,
  insert: (start: number, end: number) => Promise<unknown>,
): Promise<void> {
  const starts: number[] = [];
  for (let start = from; start < from + count; start += chunk) starts.push(start);
  const worker = async () => {
    for (let start = starts.shift(); start !== undefined; start = starts.shift()) {
      await insert(start, Math.min(start + chunk, from + count));
    }
  };
  await Promise.all(Array.from({ length: atATime }, worker));
}
