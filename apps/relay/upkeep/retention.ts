import type { Sql } from '@segue/database/connection.ts';
import { deleteClosedBatches, deleteSettled } from '@segue/outbox/retain.ts';
import { pause } from '@segue/process/pause.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/logger.ts';

/** Between two rounds. Retention is counted in days; ten minutes more or less are nothing to it. */
const everyMs = 10 * 60_000;
/** Between two pages of a thousand rows: a round of a million takes some minutes and holds nothing up. */
const betweenPagesMs = 50;

/**
 * Removes what was settled longer ago than the retention, round by round, page by page. Several relays may do
 * so at the same time; what one has deleted, the others do not find.
 *
 * @returns a function that ends it
 */
export function keepRetention(sql: Sql, olderThanMs: number, logger: Logger): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function round(): Promise<number> {
    let removed = 0;
    let after: number | null = 0;
    while (after !== null && !signal.aborted) {
      const page: { deleted: number; last: number | null } = await deleteSettled(sql, { olderThanMs, after });
      removed += page.deleted;
      after = page.last;
      if (after !== null) await pause(betweenPagesMs, signal);
    }
    while (!signal.aborted && (await deleteClosedBatches(sql, { olderThanMs })) > 0) {
      await pause(betweenPagesMs, signal);
    }
    return removed;
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        const removed = await round();
        if (removed > 0)
          logger.info({ event: 'rows_removed', removed }, 'settled rows removed after their retention');
      } catch (error) {
        logger.warn(
          { event: 'retention_failed', error: reasonOf(error) },
          'retention failed; it is tried again with the next round',
        );
      }
      await pause(everyMs, signal);
    }
  }

  const running = run();
  return async () => {
    stopping.abort();
    await running;
  };
}
