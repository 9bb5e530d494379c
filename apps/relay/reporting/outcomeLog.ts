import type { LogFields } from '@segue/ingestion/logEvents.ts';
import type { ClaimedRow } from '@segue/outbox/claim.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import type { Settled } from '../steps/settle.ts';

/** Says, line by line as the contract lists them, what became of a batch. */
export function logSettled(logger: Logger, settled: Settled, durationMs: number): void {
  const duration_ms = Math.round(durationMs);
  const line = <Fields extends LogFields>(row: ClaimedRow, fields: Fields) => ({
    isrc: row.isrc,
    trackTitle: row.title,
    ...fields,
    duration_ms,
  });
  for (const row of settled.scheduled) {
    logger.info(line(row, { event: 'ingestion_scheduled', result: 'success' }));
  }
  for (const row of settled.indexed) {
    logger.warn(line(row, { event: 'ingestion_skipped', result: 'skipped', reason: 'already_indexed' }));
  }
  for (const row of settled.duplicates) {
    logger.info(line(row, { event: 'ingestion_skipped', result: 'skipped', reason: 'duplicate' }));
  }
  for (const { row, error, dead } of settled.refused) {
    const what = dead ? 'dead: no further attempt is made' : `refused ${row.attempts + 1} times so far`;
    logger.error(line(row, { event: 'ingestion_error', result: 'error', reason: error }), what);
  }
  for (const { totalTracks, scheduledCount, skippedCount } of settled.closed) {
    logger.info({
      event: 'album_ingestion_batch',
      result: 'success',
      total_tracks: totalTracks,
      scheduled_count: scheduledCount,
      skipped_count: skippedCount,
    });
  }
}

/** One line for one failed call, whatever the number of rows in it. */
export function logFailedCall(
  logger: Logger,
  event: 'qdrant_error' | 'inngest_error',
  error: string,
  durationMs: number,
): void {
  logger.error({ event, result: 'error', error, duration_ms: Math.round(durationMs) });
}
