import { randomUUID } from 'node:crypto';
import type { Queryable } from '@segue/database/connection.ts';
import type { Isrc } from '@segue/ingestion/isrc.ts';
import type { PendingQuery, Row } from 'postgres';
import { commitAsynchronously } from './asynchronousCommit.ts';

/** An outbox row that this relay holds until its lease ends. */
export type ClaimedRow = {
  id: number;
  isrc: Isrc;
  title: string;
  artist: string;
  album: string;
  artworkUrl: string | null;
  priority: number;
  force: boolean;
  /** Refusals so far. */
  attempts: number;
  /** As PostgreSQL writes it, since a Date would lose its microseconds. */
  createdAt: string;
};

/** Where a row stands in the order of claiming. */
export type Position = Pick<ClaimedRow, 'createdAt' | 'id'>;

/** Where a claim looks. */
export type Look = {
  /** At rows from this position on; at all of them when it is left out. */
  from?: Position | undefined;
  /** At these rows as well, wherever they stand. */
  also?: number[];
};

/** Rows claimed together, and the token that proves the claim when they are settled. */
export type Claim = { lease: string; rows: ClaimedRow[] };

/**
 * Takes up to `limit` rows that are due, oldest first, for `leaseMs` from now on the database's clock. Rows of
 * another relay whose lease has ended are due again.
 *
 * `available_at` decides, but is not in the index: a claim changes it, and a changed index column would cost
 * an entry in each index, a third of the claim's time. The order is that of `created_at`, which never changes.
 *
 * The selection is fenced by MATERIALIZED and ARRAY: inlined, the planner may run it again for a join, and claim
 * more than the limit (Oban; odd-jobs#115; queue_classic#320). The array is also the cheaper way back to the rows: see
 * `settle.ts`.
 *
 * The rows that it looks at besides are not asked for `settled_at IS NULL`, which their status says as well: with
 * it, the plan for an empty table walked the index of open rows for them, and would go on to in a backlog.
 *
 * @returns rows in the order of claiming; none when nothing is due
 */
export async function claim(
  db: Queryable,
  { limit, leaseMs, from, also = [] }: { limit: number; leaseMs: number } & Look,
): Promise<Claim> {
  const lease = randomUUID();
  const rows = await db<ClaimedRow[]>`
    WITH also AS MATERIALIZED (
      SELECT id FROM ingestion_outbox
      WHERE id = ANY(${also}::bigint[]) AND status IN ('pending', 'in_flight') AND available_at <= now() AND ${notPaused(db)}
      LIMIT ${limit}::int
      FOR UPDATE SKIP LOCKED
    ),
    next AS MATERIALIZED (
      SELECT id FROM ingestion_outbox
      WHERE settled_at IS NULL AND status IN ('pending', 'in_flight') AND available_at <= now() AND ${notPaused(db)}
        AND (created_at, id) >= (${from?.createdAt ?? '-infinity'}::text::timestamptz, ${from?.id ?? 0}::bigint)
      ORDER BY created_at, id
      LIMIT ${limit}::int - (SELECT count(*) FROM also)
      FOR UPDATE SKIP LOCKED
    )
    UPDATE ingestion_outbox AS request
    SET status = 'in_flight', lease = ${lease}::uuid,
      available_at = now() + ${leaseMs} * interval '1 millisecond'
    WHERE request.id = ANY(ARRAY(SELECT id FROM also UNION ALL SELECT id FROM next))
      AND ${commitAsynchronously(db)}
    RETURNING request.id, request.isrc, request.title, request.artist, request.album,
      request.artwork_url AS "artworkUrl", request.priority, request.force, request.attempts,
      request.created_at::text AS "createdAt"`;
  return { lease, rows: rows.sort(byPosition) };
}

/** Nothing is claimed while sending is paused; what is in hand is finished. */
function notPaused(db: Queryable): PendingQuery<Row[]> {
  return db`NOT EXISTS (SELECT FROM relay_control WHERE paused_at IS NOT NULL)`;
}

/**
 * Compares by the order of claiming, for a sort: UPDATE … RETURNING keeps none. The texts of moments compare
 * like the moments, as `connection.ts` has them written.
 */
function byPosition(a: Position, b: Position): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.id - b.id;
}
