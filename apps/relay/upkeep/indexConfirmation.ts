import type { Sql } from '@segue/database/connection.ts';
import { confirmIndexed, readUnconfirmed, type Unconfirmed } from '@segue/outbox/confirm.ts';
import { inBackground } from '@segue/process/background.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Service } from '@segue/process/services.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import type { TrackIndex } from '@segue/track-index/trackIndex.ts';
import type { Breaker } from '../guards/breaker.ts';

export type ConfirmationOptions = {
  sql: Sql;
  index: TrackIndex;
  indexBreaker: Breaker;
  logger: Logger;
  /** Between two rounds, each over the thousand recordings that were sent last. */
  everyMs: number;
  /** Between two rounds over all that were sent and not seen. */
  fullEveryMs: number;
  /** What was sent later than so many ms ago is not asked for yet. */
  youngestMs: number;
};

/**
 * Looks now and then for what was sent, and notes what has reached the index. Nothing depends on it but what
 * people are told of their recordings: this is how `SCHEDULED` becomes `INDEXED`.
 *
 * It looks for all of them, however long ago they were sent: at ten runs a minute, the worker takes a week for 100,000.
 */
export function indexConfirmation(options: ConfirmationOptions): Service {
  const { sql, index, indexBreaker, logger, everyMs, fullEveryMs, youngestMs } = options;

  /**
   * Asks, and is the probe where one is due: after an outage no row may come by for hours. Whether the index is away
   * is for the rows to find out: a failure here alone opens no breaker, and lets no row pass unasked.
   */
  async function ask(isrcs: string[]): Promise<Map<string, boolean>> {
    const probing = indexBreaker.state === 'probing';
    try {
      const exists = await index.checkTracksExist(isrcs);
      indexBreaker.succeeded();
      return exists;
    } catch (error) {
      if (probing) indexBreaker.failed();
      throw error;
    }
  }

  let lastFull = Number.NEGATIVE_INFINITY;

  async function round(signal: AbortSignal): Promise<void> {
    const mayGoOn = () => !signal.aborted && indexBreaker.state !== 'open';
    if (!mayGoOn()) return;
    const isFull = performance.now() - lastFull >= fullEveryMs;
    if (isFull) lastFull = performance.now();
    let after: Unconfirmed['last'] = null;
    do {
      const page: Unconfirmed = await readUnconfirmed(sql, { youngestMs, after });
      after = page.last;
      if (page.isrcs.length === 0) break;
      const exists = await ask(page.isrcs);
      const indexed = page.isrcs.filter(isrc => exists.get(isrc));
      if (indexed.length > 0) await confirmIndexed(sql, indexed);
    } while (isFull && after !== null && mayGoOn());
  }

  return inBackground({
    name: 'index confirmation',
    everyMs,
    round,
    onFailure: error =>
      logger.debug(
        { event: 'index_confirmation_failed', error: reasonOf(error) },
        'not looked for what was sent; tried again with the next round',
      ),
  });
}
