import type { LogFields } from '@segue/ingestion/logEvents.ts';
import type { OpenRow } from '@segue/outbox/row.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import { fieldsOf } from '@segue/telemetry/origin.ts';
import type { BatchReport } from './batchReport.ts';

/** In characters. A title of megabytes would be written at every attempt. */
const longestTitle = 1_000;

/** Says, line by line as the contract lists them, what became of a batch. */
export function logReport(logger: Logger, report: BatchReport): void {
  const duration_ms = Math.round(report.durationMs);
  const line = <Fields extends LogFields>(row: OpenRow, fields: Fields) => ({
    isrc: row.isrc,
    trackTitle: row.title.slice(0, longestTitle),
    ...fieldsOf(row),
    ...fields,
    duration_ms,
  });
  for (const row of report.scheduled) {
    logger.info(line(row, { event: 'ingestion_scheduled', result: 'success' }));
  }
  for (const row of report.indexed) {
    logger.warn(line(row, { event: 'ingestion_skipped', result: 'skipped', reason: 'already_indexed' }));
  }
  for (const row of report.duplicates) {
    logger.info(line(row, { event: 'ingestion_skipped', result: 'skipped', reason: 'duplicate' }));
  }
  for (const { row, error, dead } of report.refused) {
    const what = dead ? 'dead: no further attempt is made' : `refused ${row.attempts + 1} times so far`;
    logger.error(line(row, { event: 'ingestion_error', result: 'error', reason: error }), what);
  }
  for (const { totalTracks, scheduledCount, skippedCount } of report.closed) {
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
