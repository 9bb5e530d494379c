import type { Queryable } from '@segue/database/connection.ts';

/** Requests of one status and reason, as the view `ingestion_outbox_stats` counts them. */
export type OutboxStat = {
  status: string;
  reason: string | null;
  requests: number;
  /** Whether it was counted; in a large outbox what is settled is estimated. */
  exact: boolean;
  /** Of the oldest, where it is open or dead. */
  oldestSeconds: number | null;
  last5Minutes: number;
  last60Minutes: number;
};

export function readStats(db: Queryable): Promise<OutboxStat[]> {
  return db<OutboxStat[]>`
    SELECT status, reason, requests, exact, extract(epoch FROM oldest_age)::float8 AS "oldestSeconds",
      last_5_minutes AS "last5Minutes", last_60_minutes AS "last60Minutes"
    FROM ingestion_outbox_stats`;
}
