import type { BatchReport } from './batchReport.ts';
import type { BatchFigures } from './metrics.ts';

/** What metrics tell of a batch. */
export function figuresOf(report: BatchReport): BatchFigures {
  const dead = report.refused.filter(refusal => refusal.dead).length;
  const outcomes = {
    scheduled: report.scheduled.length + report.gathered,
    already_indexed: report.indexed.length,
    duplicate: report.duplicates.length,
    dead,
    refused: report.refused.length - dead,
    left: report.left,
    lost: report.lost,
  };
  return {
    size: Object.values(outcomes).reduce((sum, rows) => sum + rows, 0),
    outcomes,
    sentRequestedMs: report.scheduled.map(({ requestedMs }) => requestedMs),
    sentAt: performance.now() - (report.durations.settle ?? 0),
    stepsMs: report.durations,
    durationMs: report.durationMs,
  };
}
