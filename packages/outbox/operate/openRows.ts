import type { Queryable } from '@segue/database/connection.ts';
import type { PendingQuery, Row } from 'postgres';

/** Stretches of ids of which one each is looked up. */
const samples = 200;

/**
 * Subqueries for a WITH that tell the open rows at the same cost however many there are: `counted`, the oldest by the time
 * of their request, and `open`, those and a sample of what is beyond, with how many rows each `stands_for`. (To count a
 * million takes 300 ms.)
 *
 * The ids beyond are cut into 200 stretches, and one id of each is looked up: those that come later are mostly open, too.
 * The LIMIT keeps a lookup from becoming a join, which would read the whole table; and what it says of the status is in
 * words that no index of open rows has, so that none is walked in place of the ids.
 *
 * @param count rows that are counted one by one
 */
export function openRows(db: Queryable, count: number): PendingQuery<Row[]> {
  return db`
    counted AS MATERIALIZED (
      SELECT id, created_at, available_at, attempts FROM ingestion_outbox WHERE settled_at IS NULL
      ORDER BY created_at, id LIMIT ${count}::int
    ),
    beyond AS MATERIALIZED (
      SELECT counted.id AS after, newest.id AS last, greatest(1, (newest.id - counted.id) / ${samples}::int) AS step
      FROM (SELECT id FROM counted ORDER BY created_at DESC, id DESC LIMIT 1) AS counted,
        (SELECT id FROM ingestion_outbox WHERE settled_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 1) AS newest
      WHERE (SELECT count(*) FROM counted) = ${count}::int
    ),
    samples AS MATERIALIZED (
      SELECT stretch.end - floor(random() * beyond.step)::bigint AS id, beyond.step
      FROM beyond, generate_series(beyond.after + beyond.step, beyond.last, beyond.step) AS stretch ("end")
    ),
    open AS (
      SELECT created_at, available_at, 1::bigint AS stands_for FROM counted
      UNION ALL
      SELECT request.created_at, request.available_at, samples.step
      FROM samples, LATERAL (
        SELECT created_at, available_at FROM ingestion_outbox
        WHERE id = samples.id AND status NOT IN ('scheduled', 'skipped', 'dead') LIMIT 1
      ) AS request
    )`;
}
