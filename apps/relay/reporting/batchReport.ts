import type { OpenRow } from '@segue/outbox/row.ts';
import type { ClosedBatch } from '@segue/outbox/settle.ts';
import type { Batch } from '../steps/decide.ts';
import { type Settled, stuckIsrcs } from '../steps/settle.ts';

/** How long the steps took that a batch had, in ms. */
export type StepDurations = { read?: number; ask?: number; send?: number; settle?: number };

/** What truly became of a batch's rows. */
export type BatchReport = {
  scheduled: OpenRow[];
  /** Forced requests that were not read whole and were answered by an event. */
  gathered: number;
  indexed: OpenRow[];
  duplicates: OpenRow[];
  refused: { row: OpenRow; error: string; dead: boolean }[];
  /** Rows that stay as they are: of an outage, behind another request, or since somebody locks a row. */
  left: number;
  /** Rows whose slot another relay had taken meanwhile, or that somebody else has changed. */
  lost: number;
  /** Albums whose last row this was. */
  closed: ClosedBatch[];
  durations: StepDurations;
  durationMs: number;
};

/** Tells of the rows that are as they were decided; a row that somebody else has changed is none of them. */
export function reportOf(
  batch: Batch,
  settled: Settled,
  durations: StepDurations,
  durationMs: number,
  maxAttempts: number,
): BatchReport {
  const { written, closed } = settled;
  const stuck = stuckIsrcs(settled);
  const report: BatchReport = {
    scheduled: [],
    gathered: 0,
    indexed: [],
    duplicates: [],
    refused: [],
    left: batch.waiting.length,
    lost: 0,
    closed,
    durations,
    durationMs,
  };
  const isOurs = ({ id, isrc }: OpenRow): boolean => {
    const isWritten = written.has(id);
    if (!isWritten) report[stuck.has(isrc) ? 'left' : 'lost'] += 1;
    return isWritten;
  };
  const refused = (row: OpenRow, error: string, dead: boolean) => {
    if (isOurs(row)) report.refused.push({ row, error, dead });
  };

  for (const row of batch.duplicates) if (isOurs(row)) report.duplicates.push(row);
  for (const { row, error } of batch.invalid) refused(row, error, true);
  for (const { lead, others, gathered, force, outcome } of batch.sendings) {
    switch (outcome.as) {
      case 'undecided':
        report.left += 1 + others.length;
        break;
      case 'refused':
        refused(lead, outcome.error, lead.attempts + 1 >= maxAttempts);
        report.left += others.length;
        break;
      case 'indexed':
        for (const row of [lead, ...others]) if (isOurs(row)) report.indexed.push(row);
        break;
      case 'sent': {
        if (isOurs(lead)) report.scheduled.push(lead);
        const answered = force ? report.scheduled : report.duplicates;
        for (const row of others) if (isOurs(row)) answered.push(row);
        for (const id of gathered) if (written.has(id)) report.gathered += 1;
      }
    }
  }
  return report;
}
