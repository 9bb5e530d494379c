import type { Sql } from '@segue/database/connection.ts';
import { readForced, readPlain } from '@segue/outbox/readOpen.ts';
import type { RowOutcome } from '@segue/outbox/settle.ts';
import { crashPoint } from '@segue/process/crashPoint.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import type { TrackIndex } from '@segue/track-index/trackIndex.ts';
import type { Breaker } from './guards/breaker.ts';
import type { EventSender } from './inngest/eventSender.ts';
import type { Reading } from './reading/openReader.ts';
import { type BatchReport, reportOf, type StepDurations } from './reporting/batchReport.ts';
import { logFailedCall, logReport } from './reporting/outcomeLog.ts';
import { inBatchSpan, inSendSpans } from './reporting/tracing.ts';
import { askIndex } from './steps/askIndex.ts';
import { conclude } from './steps/conclude.ts';
import { type Batch, decide, type Sending } from './steps/decide.ts';
import { type SendDependencies, send } from './steps/send.ts';
import { type Settled, writeDown } from './steps/settle.ts';

export type BatchDependencies = {
  sql: Sql;
  index: TrackIndex;
  indexBreaker: Breaker;
  sender: EventSender;
  inngestBreaker: Breaker;
  logger: Logger;
  maxAttempts: number;
  dedupeWindowMs: number;
  /** Told of each batch. */
  onBatch?: (report: BatchReport) => void;
};

/** What a read has found, and what may be done with it. */
export type BatchInput = Reading & {
  relay: string;
  /** Whether a call may begin now, as far as the slots are concerned. */
  mayCall: () => boolean;
  /** Aborted: no new call. */
  stopping: AbortSignal;
  /** Aborted: calls under way are given up, too. */
  givingUp: AbortSignal;
};

export type BatchResult = {
  batch: Batch;
  settled: Settled;
  /** Why some are undecided: the batch has had all its calls. */
  outOfCalls: boolean;
};

/**
 * A batch's way, one straight line: decide, ask the index, send, settle.
 *
 * @throws when the database fails; what is not written by then is read again
 */
export function relayBatch(input: BatchInput, relay: BatchDependencies): Promise<BatchResult> {
  return inBatchSpan(input.rows, input.readMs, () => runBatch(input, relay));
}

async function runBatch(input: BatchInput, relay: BatchDependencies): Promise<BatchResult> {
  const began = performance.now();
  const durations: StepDurations = { read: input.readMs };
  const batch = decide(input.rows);
  crashPoint('after_read');
  await gatherForced(batch, input.fullSlots, relay);
  const outOfCalls = await askAndSend(batch, input, relay, durations);
  const settlingFrom = performance.now();
  const settled = await settleRows(conclude(batch, relay), input, relay);
  durations.settle = performance.now() - settlingFrom;

  tell(batch, settled, durations, performance.now() - began, relay);
  if (settled.lostSlots.length > 0) {
    relay.logger.warn(
      { event: 'lease_lost', slots: settled.lostSlots.length },
      'lease lost: another relay has taken slots over; nothing of their requests was changed',
    );
  }
  return { batch, settled, outOfCalls };
}

/** Says in log and figures what became of rows. */
export function tell(
  batch: Batch,
  settled: Settled,
  durations: StepDurations,
  durationMs: number,
  { logger, onBatch, maxAttempts }: Pick<BatchDependencies, 'logger' | 'onBatch' | 'maxAttempts'>,
): void {
  const report = reportOf(batch, settled, durations, durationMs, maxAttempts);
  logReport(logger, report);
  onBatch?.(report);
}

/** Writes rows down under the rights of a batch. */
export function settleRows(
  rows: RowOutcome[],
  { relay, epochs, givingUp }: Pick<BatchInput, 'relay' | 'epochs' | 'givingUp'>,
  { sql, dedupeWindowMs, logger }: Pick<BatchDependencies, 'sql' | 'dedupeWindowMs' | 'logger'>,
): Promise<Settled> {
  return writeDown(rows, {
    sql,
    relay,
    epochs,
    dedupeWindowMs,
    givingUp,
    onOutage: error =>
      logger.warn(
        { event: 'database_error', error: reasonOf(error) },
        'the database failed; a batch in hand waits for it',
      ),
  });
}

/**
 * Looks for what a read had no room for beside forced requests: plain ones, whose id may have been used unheard and which
 * go first; and other forced ones, which what is sent now answers, too.
 */
async function gatherForced(
  { sendings, waiting }: Batch,
  fullSlots: Set<number>,
  { sql, dedupeWindowMs }: Pick<BatchDependencies, 'sql' | 'dedupeWindowMs'>,
): Promise<void> {
  const isPartlySeen = ({ force, slot }: Sending) => force && fullSlots.has(slot);
  const forced = sendings.filter(isPartlySeen);
  if (forced.length === 0) return;
  const plain = new Map((await readPlain(sql, forced, { dedupeWindowMs })).map(row => [row.isrc, row]));
  for (const [place, sending] of sendings.entries()) {
    const row = isPartlySeen(sending) && plain.get(sending.lead.isrc);
    if (!row) continue;
    const behind = [sending.lead, ...sending.others];
    const [first] = decide([row, ...behind]).sendings;
    if (!first || first.force) continue;
    sendings[place] = first;
    waiting.push(...behind);
  }

  const stillForced = sendings.filter(isPartlySeen);
  if (stillForced.length === 0) return;
  const found = Map.groupBy(await readForced(sql, stillForced), ({ isrc }) => isrc);
  for (const sending of stillForced) {
    const known = new Set([sending.lead, ...sending.others].map(({ id }) => id));
    sending.gathered = (found.get(sending.isrc) ?? []).map(({ id }) => id).filter(id => !known.has(id));
  }
}

/** @returns whether calls ran out. When nothing may be sent, no call is made at all. */
async function askAndSend(
  { sendings }: Batch,
  { mayCall: mayCallForSlots, stopping, givingUp }: BatchInput,
  { index, indexBreaker, sender, inngestBreaker, logger }: BatchDependencies,
  durations: StepDurations,
): Promise<boolean> {
  const mayCall = () => !stopping.aborted && inngestBreaker.state !== 'open' && mayCallForSlots();
  if (sendings.length === 0 || !mayCall()) return false;
  const askedAt = performance.now();
  const error = await askIndex(index, indexBreaker, sendings);
  durations.ask = performance.now() - askedAt;
  if (error !== null) logFailedCall(logger, 'qdrant_error', error, performance.now() - askedAt);
  crashPoint('after_index_check');

  const sentAt = performance.now();
  const dependencies: SendDependencies = {
    sender,
    mayCall,
    givingUp,
    onFailedCall: (failure, durationMs) => logFailedCall(logger, 'inngest_error', failure, durationMs),
  };
  const sent = await inngestBreaker.during(() => inSendSpans(sendings, () => send(sendings, dependencies)));
  durations.send = performance.now() - sentAt;
  if (sent.outage) inngestBreaker.failed(sent.outage.retryAfterMs);
  else if (sent.answered) inngestBreaker.succeeded();
  crashPoint('after_send');
  return sent.outOfCalls;
}
