import type { Queryable } from '@segue/database/connection.ts';

/** Since when, and why, nothing that is missing in the index is sent anew (rule R12). */
export type PausedReconciliation = {
  at: Date;
  /** `index_unavailable`, `index_wiped` or `worker_behind`. */
  cause: string;
  /** For people. */
  reason: string;
};

/** @returns null while it is not paused */
export async function readPausedReconciliation(db: Queryable): Promise<PausedReconciliation | null> {
  const [paused] = await db<PausedReconciliation[]>`
    SELECT paused_at AS at, paused_cause AS cause, paused_reason AS reason FROM relay_reconciliation
    WHERE paused_cause IS NOT NULL`;
  return paused ?? null;
}
