import type { Queryable } from '@segue/database/connection.ts';
import { deleteClosedBatches, deleteSettledPages } from '../retain.ts';
import { recordAction } from './actions.ts';
import type { BoundedCount } from './count.ts';

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
  try {
    for await (const ofPage of deleteSettledPages(db, { olderThanMs })) {
      deleted += ofPage;
      yield deleted;
    }
    while ((await deleteClosedBatches(db, { olderThanMs })) > 0) yield deleted;
  } finally {
    await recordAction(db, { actor, action: 'prune', reason, rows: deleted, selection: { olderThanMs } });
  }
}

/**
 * How many settled requests are older, among the oldest requests up to a bound.
 *
 * @returns `more`: the bound was reached, and what stands behind it may be old enough, too
 */
export async function countPrunable(
  db: Queryable,
  { olderThanMs, bound = 100_000 }: { olderThanMs: number; bound?: number },
): Promise<BoundedCount> {
  const [answer] = await db<[BoundedCount]>`
    SELECT count(*) FILTER (WHERE settled_at < before)::int AS count,
      -- As the deletion has it: behind young requests nothing is old.
      count(*) = ${bound} AND coalesce(max(id) FILTER (WHERE created_at < before) = max(id), false) AS more
    FROM (SELECT id, created_at, settled_at FROM ingestion_outbox ORDER BY id LIMIT ${bound}) AS oldest,
      (SELECT now() - ${olderThanMs} * interval '1 millisecond' AS before) AS retention`;
  return answer;
}
