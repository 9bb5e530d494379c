import { randomUUID } from 'node:crypto';
import type { Queryable } from '@segue/database/connection.ts';
import type { Isrc } from '@segue/ingestion/isrc.ts';

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
  createdAt: Date;
};

/** Rows claimed together, and the token that proves the claim when they are settled. */
export type Claim = { lease: string; rows: ClaimedRow[] };

/**
 * Takes up to `limit` rows that are due, oldest first, for `leaseMs` from now on the database's clock. Rows of
 * another relay whose lease has ended are due again.
 *
 * The selection is fenced by MATERIALIZED: inlined, the planner may run it again for the join, and claim more
 * than the limit (Oban; odd-jobs#115; queue_classic#320).
 *
 * @returns rows in order of their ids; none when nothing is due
 */
export async function claim(
  db: Queryable,
  { limit, leaseMs }: { limit: number; leaseMs: number },
): Promise<Claim> {
  const lease = randomUUID();
  const rows = await db<ClaimedRow[]>`
    WITH due AS MATERIALIZED (
      SELECT id FROM ingestion_outbox
      WHERE status IN ('pending', 'in_flight') AND available_at <= now()
      ORDER BY available_at, id
      LIMIT ${limit}
      FOR UPDATE SKIP LOCKED
    )
    UPDATE ingestion_outbox AS request
    SET status = 'in_flight', lease = ${lease}::uuid,
      available_at = now() + ${leaseMs} * interval '1 millisecond'
    FROM due WHERE request.id = due.id
    RETURNING request.id, request.isrc, request.title, request.artist, request.album,
      request.artwork_url AS "artworkUrl", request.priority, request.force, request.attempts,
      request.created_at AS "createdAt"`;
  return { lease, rows: rows.sort((a, b) => a.id - b.id) };
}
