import type { Sql } from '@segue/database/connection.ts';
import { deleteClosedBatches, deleteSettledPages } from '@segue/outbox/retain.ts';
import { forgetRelays } from '@segue/outbox/slots.ts';
import { inBackground } from '@segue/process/background.ts';
import { pause } from '@segue/process/pause.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Service } from '@segue/process/services.ts';
import type { Logger } from '@segue/telemetry/logger.ts';

/** Between two rounds. Retention is counted in days; ten minutes more or less are nothing to it. */
const everyMs = 10 * 60_000;
/** Between two pages of a thousand rows: a round of a million takes some minutes and holds nothing up. */
const betweenPagesMs = 50;
/** Relays that have stopped are shown for a day. */
const relaysKeptMs = 24 * 3_600_000;

/**
 * Removes what was settled longer ago than the retention, round by round, page by page. Several relays may do
 * so at the same time; what one has deleted, the others do not find.
 */
export function retention(sql: Sql, olderThanMs: number, logger: Logger): Service {
  async function removeSettled(signal: AbortSignal): Promise<number> {
    let removed = 0;
    for await (const ofPage of deleteSettledPages(sql, { olderThanMs })) {
      removed += ofPage;
      await pause(betweenPagesMs, signal);
      if (signal.aborted) break;
    }
    return removed;
  }

  return inBackground({
    name: 'retention',
    everyMs,
    firstAfterMs: 0,
    async round(signal) {
      const removed = await removeSettled(signal);
      while (!signal.aborted && (await deleteClosedBatches(sql, { olderThanMs })) > 0) {
        await pause(betweenPagesMs, signal);
      }
      await forgetRelays(sql, { olderThanMs: relaysKeptMs });
      if (removed > 0) {
        logger.info({ event: 'rows_removed', removed }, 'settled rows removed after their retention');
      }
    },
    onFailure: error =>
      logger.warn(
        { event: 'retention_failed', error: reasonOf(error) },
        'retention failed; it is tried again with the next round',
      ),
  });
}
