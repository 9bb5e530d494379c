import type { Sql } from '@segue/database/connection.ts';
import { confirmIndexed, readUnconfirmed } from '@segue/outbox/confirm.ts';
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
  /** Between two rounds, each over the latest thousand requests. */
  everyMs: number;
  /** Between two rounds over all of a day. */
  fullEveryMs: number;
  /** What was sent later than so many ms ago is not asked for yet. */
  youngestMs: number;
};

/** What has not reached the index within a day is not looked for any more. */
const oldestMs = 24 * 3_600_000;
/** Pages of a thousand requests in a full round: asking for 20,000 points takes Qdrant well under a second. */
const pagesAtOnce = 20;

/**
 * Looks now and then for what was sent, and notes what has reached the index. Nothing depends on it but what
 * people are told of their recordings: this is how `SCHEDULED` becomes `INDEXED`.
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
    const isFull = performance.now() - lastFull >= fullEveryMs;
    const most = isFull ? pagesAtOnce : 1;
    if (isFull) lastFull = performance.now();
    let before: number | null = Number.MAX_SAFE_INTEGER;
    for (
      let pages = 0;
      before !== null && pages < most && !signal.aborted && indexBreaker.state !== 'open';
      pages++
    ) {
      const page: Awaited<ReturnType<typeof readUnconfirmed>> = await readUnconfirmed(sql, {
        oldestMs,
        youngestMs,
        before,
      });
      before = page.before;
      if (page.isrcs.length === 0) continue;
      const exists = await ask(page.isrcs);
      const indexed = page.isrcs.filter(isrc => exists.get(isrc));
      if (indexed.length > 0) await confirmIndexed(sql, indexed);
    }
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
