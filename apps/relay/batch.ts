import type { Claim } from '@segue/outbox/claim.ts';
import { crashPoint } from '@segue/process/crashPoint.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import type { TrackIndex } from '@segue/track-index/trackIndex.ts';
import type { Breaker } from './guards/breaker.ts';
import { callTimeMs } from './guards/callBudget.ts';
import { insistUntil } from './guards/retryUntil.ts';
import type { EventSender } from './inngest/eventSender.ts';
import { logFailedCall, logSettled } from './reporting/outcomeLog.ts';
import type { RowSessions } from './rowSessions.ts';
import { type Asked, askIndex } from './steps/askIndex.ts';
import { conclude } from './steps/conclude.ts';
import { dropDuplicates, type TakenRow } from './steps/dropDuplicates.ts';
import { type Sent, send } from './steps/send.ts';
import { type Settled, settle } from './steps/settle.ts';
import type { Turns } from './turns.ts';

export type BatchDependencies = {
  sessions: RowSessions;
  index: TrackIndex;
  indexBreaker: Breaker;
  sender: EventSender;
  inngestBreaker: Breaker;
  logger: Logger;
  maxAttempts: number;
  dedupeWindowMs: number;
  leaseMs: number;
  turns: Turns;
  /** Told of each batch, in ms since its claim. */
  onSettled?: (settled: Settled, durationMs: number) => void;
};

/** The two stages of stopping. */
export type StopSignals = {
  /** No new call: what is not sent yet is handed back. */
  stopping: AbortSignal;
  /** Calls under way are given up, too. */
  givingUp: AbortSignal;
};

/**
 * A claim's way, one straight line: drop duplicates, ask the index, send, settle.
 *
 * @param claimedAt when the claim was made, on `performance.now()`, which no change of the clock touches and
 * which goes on while the process is stopped
 * @throws when the database fails; what is not written by then is left to its lease
 */
export async function relayBatch(
  { lease, rows }: Claim,
  claimedAt: number,
  signals: StopSignals,
  relay: BatchDependencies,
): Promise<void> {
  const { sessions, logger } = relay;
  // Both writes may be repeated: a row that took its recording finds that it did, one that is settled stays so.
  const insist = <Result>(statement: () => Promise<Result>) =>
    insistUntil(claimedAt + relay.leaseMs, signals.givingUp, statement, error =>
      logger.warn(
        { event: 'database_error', error: reasonOf(error) },
        'the database failed; a batch in hand waits for it',
      ),
    );
  crashPoint('after_claim');

  const deduped = await insist(() => dropDuplicates(sessions.claiming, { lease, rows }, relay));
  crashPoint('after_dedupe');

  const { asked, sent } = await relay.turns.take(() => askAndSend(deduped.taken, claimedAt, signals, relay));
  crashPoint('after_send');

  const settled = await settle(sessions.settling, conclude(deduped, asked, sent), {
    lease,
    maxAttempts: relay.maxAttempts,
    dedupeWindowMs: relay.dedupeWindowMs,
    insist,
  });
  const durationMs = performance.now() - claimedAt;
  logSettled(logger, settled, durationMs);
  relay.onSettled?.(settled, durationMs);
  if (settled.lost > 0) {
    logger.warn(
      { event: 'lease_lost', lost: settled.lost },
      'lease lost: another relay has taken rows over; nothing of them was changed',
    );
  }
  if (settled.failure) throw settled.failure.error;
}

/** What a batch does when its turn has come. A turn that comes when nothing may be sent makes no call at all. */
async function askAndSend(
  rows: TakenRow[],
  claimedAt: number,
  { stopping, givingUp }: StopSignals,
  { index, indexBreaker, sender, inngestBreaker, leaseMs, logger }: BatchDependencies,
): Promise<{ asked: Asked; sent: Sent }> {
  const timeMs = () => callTimeMs({ claimedAt, leaseMs, inngestBreaker, stopping });
  if (timeMs() === 0) {
    return { asked: { wanted: rows, indexed: [] }, sent: { accepted: [], refused: [], unsent: rows } };
  }
  const askedAt = performance.now();
  const asked = await askIndex(index, indexBreaker, rows);
  if (asked.error) logFailedCall(logger, 'qdrant_error', asked.error, performance.now() - askedAt);
  crashPoint('after_index_check');

  const sent = await inngestBreaker.during(() =>
    send(asked.wanted, {
      sender,
      callTimeMs: timeMs,
      givingUp,
      onFailedCall: (error, durationMs) => logFailedCall(logger, 'inngest_error', error, durationMs),
    }),
  );
  if (sent.outage) inngestBreaker.failed(sent.outage.retryAfterMs);
  else if (sent.accepted.length > 0 || sent.refused.some(refusal => !refusal.final)) {
    inngestBreaker.succeeded();
  }
  return { asked, sent };
}
