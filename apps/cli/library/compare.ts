import type { Sql } from '@segue/database/connection.ts';
import { blanks } from '@segue/ingestion/blanks.ts';

/** A recording of the library, and where it would be in the index. */
type LibraryPoint = { pointId: string; isrc: string };

/** What the library and the index do not have in common. */
export type Comparison = {
  /** Recordings of the library, each once. */
  recordings: number;
  points: number;
  /** ISRCs of recordings that the index lacks. */
  missing: string[];
  /** Points that no item of the library has. */
  stray: number;
};

/** Library rows a fetch. */
const rowsAtOnce = 5_000;

/**
 * Compares the library with the index, in one walk over both in the order of their point ids.
 *
 * @param pages of point ids, in the order in which Qdrant scrolls: that of PostgreSQL's `uuid`
 * @param onProgress told now and then of how many library recordings were compared
 * @throws what either of the two throws
 */
export async function compareWithIndex(
  sql: Sql,
  pages: AsyncIterable<string[]>,
  onProgress: (recordings: number) => void = () => undefined,
): Promise<Comparison> {
  const comparison: Comparison = { recordings: 0, points: 0, missing: [], stray: 0 };
  const points = idsOf(pages)[Symbol.asyncIterator]();
  let point = await points.next();
  for await (const page of libraryPoints(sql)) {
    for (const { pointId, isrc } of page) {
      // As texts, lower-case and of one form, uuids compare like their bytes.
      while (!point.done && point.value < pointId) {
        comparison.stray++;
        point = await pass();
      }
      comparison.recordings++;
      if (!point.done && point.value === pointId) point = await pass();
      else comparison.missing.push(isrc);
    }
    onProgress(comparison.recordings);
  }
  while (!point.done) {
    comparison.stray++;
    point = await pass();
  }
  return comparison;

  function pass() {
    comparison.points++;
    return points.next();
  }
}

async function* idsOf(pages: AsyncIterable<string[]>): AsyncGenerator<string, void, void> {
  for await (const page of pages) yield* page;
}

/**
 * All recordings of the library in the order of their point ids, each once; `hashIsrcToUuid` in SQL. PostgreSQL sorts
 * them, on its disk where they are many, and they are fetched bit by bit.
 */
function libraryPoints(sql: Sql): AsyncIterable<LibraryPoint[]> {
  return sql<LibraryPoint[]>`
    WITH recording AS (
      SELECT DISTINCT (CASE WHEN given.isrc ~ '^[A-Z0-9]{12}$' THEN given.isrc ELSE normalise_isrc(given.isrc) END) COLLATE "C" AS isrc
      FROM (
        SELECT isrc, title FROM library_tracks
        UNION ALL
        SELECT listed.isrc, listed.title
        FROM library_albums AS item, jsonb_to_recordset(item.track_listing) AS listed (isrc text, title text)
      ) AS given
      WHERE btrim(given.title, ${blanks}) <> ''
    )
    SELECT left(encode(sha256(convert_to('6ba7b810-9dad-11d1-80b4-00c04fd430c8' || isrc, 'UTF8')), 'hex'), 32)::uuid AS "pointId",
      isrc
    FROM recording WHERE isrc ~ '^[A-Z0-9]{12}$'
    ORDER BY 1`.cursor(rowsAtOnce);
}
