import type { Sql } from '@segue/database/connection.ts';
import type { IngestionRequest } from '@segue/ingestion/request.ts';
import { ActionInvalid } from '@segue/outbox/operate/act.ts';
import { type BackfillStep, backfillStep, type HeldBack } from '@segue/outbox/operate/backfill.ts';
import { pause } from '@segue/process/pause.ts';
import { showProgress } from '@segue/terminal/progress.ts';
import { InvalidArgumentError } from 'commander';
import type { Context } from '../../context.ts';
import { sayDuration } from '../../duration.ts';
import { Interrupted, UsageError } from '../../exitCode.ts';
import { type Consent, confirm } from '../acting/confirm.ts';

export type RequestOptions = Consent & { reason: string; actor?: string; perMinute: number };

/** The worker's throttle by default (WORKER_THROTTLE_PER_MINUTE). */
export const defaultPerMinute = 10;

/**
 * Between two steps at the least: 50 requests a second, so that the p99 of additions made meanwhile stays within 1.2 times
 * (250 a second, in steps of 25: 1.24 to 1.7).
 */
const shortestWaitMs = 200;

const heldBackBecause: Record<HeldBack, string> = {
  paused: 'sending is paused; waiting until `outbox resume`',
  backlog: 'other requests wait to be sent; waiting behind them',
  meter: 'the worker is busy with newer requests; waiting behind them',
};

/** @throws InvalidArgumentError, which commander tells as wrong usage */
export function readPerMinute(text: string): number {
  const perMinute = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (perMinute < 1) throw new InvalidArgumentError('Give a whole number from 1 to 9999999.');
  return perMinute;
}

/**
 * Asks, and requests recordings as fast as the worker takes them, with a bar. What was requested stays so when it is
 * interrupted, and is left out the next time.
 *
 * @param count how many are expected
 * @param pages the recordings, each page asked for when the one before is done with
 * @returns how many were requested, and the action that was recorded
 */
export async function requestRecordings(
  sql: Sql,
  count: number,
  pages: AsyncIterable<IngestionRequest[]>,
  { anew, selection }: { anew: boolean; selection: Record<string, unknown> },
  options: RequestOptions,
  context: Context,
): Promise<{ rows: number; action: number | null }> {
  const { output, surroundings } = context;
  const { perMinute, reason, actor } = options;
  const duration = sayDuration((count * 60) / perMinute);
  const recordings = `${count.toLocaleString('en')} recordings`;
  await confirm(`Request ${recordings}, ${perMinute} a minute (${duration} at the least)?`, options, context);
  output.say(
    `Requesting ${recordings}, ${perMinute} a minute: ${duration} at the least. Ctrl-C stops it; the same command goes on.`,
  );

  const progress = showProgress(count, 'recordings', surroundings.stderr);
  let rows = 0;
  let done = 0;
  let action: number | null = null;
  let told: HeldBack | null = null;
  try {
    for await (const page of pages) {
      for (let rest = page; rest.length > 0; ) {
        const step: BackfillStep = await backfillStep(sql, rest, {
          perMinute,
          anew,
          reason,
          actor,
          selection,
          continues: action,
        });
        rest = rest.slice(step.taken);
        action = step.actionId;
        rows += step.rows;
        done += step.taken;
        progress.update(done);
        tell(step);
        if (surroundings.interrupted.aborted) throw new Interrupted();
        await pause(Math.max(shortestWaitMs, step.waitMs), surroundings.interrupted);
        if (surroundings.interrupted.aborted) throw new Interrupted();
      }
    }
  } catch (error) {
    if (error instanceof ActionInvalid) throw new UsageError(error.message);
    throw error;
  } finally {
    progress.stop();
    if (surroundings.interrupted.aborted)
      output.say(`${rows.toLocaleString('en')} recordings were requested before the interruption.`);
  }
  return { rows, action };

  /** Once a cause. That the worker has its fill of our own requests is the normal case, and not told. */
  function tell({ heldBack, waitMs }: BackfillStep): void {
    const cause = heldBack === 'meter' && waitMs <= (2 * 60_000) / perMinute ? null : heldBack;
    if (cause === told) return;
    told = cause;
    if (cause !== null) output.say(heldBackBecause[cause]);
  }
}
