import type { Queryable } from '@segue/database/connection.ts';
import { deleteClosedBatches, deleteSettled } from '../retain.ts';
import { recordAction } from './actions.ts';

/**
 * Deletes settled requests that are older than so many ms, some thousand a step, and records it at the end, also
 * when whoever asks stops in between.
 *
 * @returns after each step, how many were deleted so far
 */
export async function* prune(
  db: Queryable,
  { olderThanMs, reason, actor }: { olderThanMs: number; reason: string; actor?: string | undefined },
): AsyncGenerator<number> {
  let deleted = 0;
  let after: number | null = Number.MIN_SAFE_INTEGER;
  try {
    while (after !== null) {
      const step: { deleted: number; last: number | null } = await deleteSettled(db, { olderThanMs, after });
      deleted += step.deleted;
      after = step.last;
      yield deleted;
    }
    while ((await deleteClosedBatches(db, { olderThanMs })) > 0) yield deleted;
  } finally {
    await recordAction(db, { actor, action: 'prune', reason, rows: deleted, selection: { olderThanMs } });
  }
}

/** How many settled requests are older, up to a bound. */
export async function countPrunable(
  db: Queryable,
  { olderThanMs, bound = 100_000 }: { olderThanMs: number; bound?: number },
): Promise<{ count: number; more: boolean }> {
  const [answer] = await db<[{ count: number }]>`
    SELECT count(*)::int AS count FROM (
      SELECT FROM (SELECT settled_at FROM ingestion_outbox ORDER BY id LIMIT ${bound + 1}) AS oldest
      WHERE settled_at < now() - ${olderThanMs} * interval '1 millisecond'
    ) AS prunable`;
  return { count: Math.min(answer.count, bound), more: answer.count > bound };
}
