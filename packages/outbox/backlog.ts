import type { Queryable } from '@segue/database/connection.ts';

/** What waits in the outbox. */
export type Backlog = {
  /** Rows that are not settled. Counted in the index of open rows: 100 ms for a million. */
  openRows: number;
  /** Seconds since the oldest of them was requested; 0 when there is none. */
  oldestSeconds: number;
};

export async function readBacklog(db: Queryable): Promise<Backlog> {
  const [backlog] = await db<[Backlog]>`
    SELECT count(*)::int AS "openRows",
      coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS "oldestSeconds"
    FROM ingestion_outbox WHERE settled_at IS NULL`;
  return backlog;
}

/** A request as a person wants to see it. */
export type RecentRow = {
  id: number;
  isrc: string;
  title: string;
  status: string;
  reason: string | null;
  attempts: number;
  lastError: string | null;
};

/** The 30 newest requests. */
export async function readRecent(db: Queryable): Promise<RecentRow[]> {
  return db<RecentRow[]>`
    SELECT id, isrc, title, status, reason, attempts, last_error AS "lastError"
    FROM ingestion_outbox ORDER BY id DESC LIMIT 30`;
}
