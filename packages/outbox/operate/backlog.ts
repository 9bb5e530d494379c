import type { Queryable } from '@segue/database/connection.ts';

/** What waits in the outbox, at a glance. */
export type Backlog = {
  /** Requests that are not settled. Counted in the index of open ones: 100 ms for a million. */
  open: number;
  /** Of those, how many wait for a later attempt. */
  waiting: number;
  /** Since the oldest open one was requested; null when there is none. */
  oldestSeconds: number | null;
  /** Since the oldest that may be sent at once was requested, or became due; null when there is none. */
  oldestDueSeconds: number | null;
  dead: number;
  diedLastHour: number;
};

export async function readBacklog(db: Queryable): Promise<Backlog> {
  const [backlog] = await db<[Backlog]>`
    SELECT open.*, dead.*
    FROM (
      SELECT count(*)::int AS open, count(*) FILTER (WHERE available_at > now())::int AS waiting,
        extract(epoch FROM now() - min(created_at))::float8 AS "oldestSeconds",
        extract(epoch FROM now() - min(greatest(created_at, available_at)) FILTER (WHERE available_at <= now()))::float8
          AS "oldestDueSeconds"
      FROM ingestion_outbox WHERE settled_at IS NULL
    ) AS open,
    (
      SELECT count(*)::int AS dead,
        count(*) FILTER (WHERE settled_at > now() - interval '1 hour')::int AS "diedLastHour"
      FROM ingestion_outbox WHERE status = 'dead'
    ) AS dead`;
  return backlog;
}
