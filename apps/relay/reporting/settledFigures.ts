import type { Settled } from '../steps/settle.ts';
import type { BatchFigures } from './metrics.ts';

/** What metrics tell of a batch that was just settled. */
export function figuresOf(settled: Settled, durationMs: number): BatchFigures {
  const dead = settled.refused.filter(refusal => refusal.dead).length;
  const outcomes = {
    scheduled: settled.scheduled.length,
    already_indexed: settled.indexed.length,
    duplicate: settled.duplicates.length,
    dead,
    refused: settled.refused.length - dead,
    left: settled.released.reduce((rows, group) => rows + group.rows.length, 0),
    lost: settled.lost,
  };
  return {
    size: Object.values(outcomes).reduce((sum, rows) => sum + rows, 0),
    outcomes,
    sentRequestedMs: settled.scheduled.map(row => Date.parse(row.createdAt)),
    sentAt: performance.now(),
    stepsMs: {},
    durationMs,
  };
}
