import type { Queryable } from '@segue/database/connection.ts';
import type { IngestionRequest } from '@segue/ingestion/request.ts';
import { translated } from './act.ts';

/** Recordings that one step looks at: a fresh addition that commits right behind them waits for no more than these. */
export const stepSize = 10;

export type BackfillOptions = {
  /** Requests a minute, those of everybody else included; at least 1. */
  perMinute: number;
  /**
   * For recordings that are gone from the index: what was sent before makes them no duplicates. Otherwise what was
   * ever requested is left out.
   */
  anew: boolean;
  /** Why, for those who look later. */
  reason: string;
  actor?: string | undefined;
  /** What was asked for, for the record: `{"artist": "Miles Davis"}`. */
  selection: Record<string, unknown>;
  /** The action that the steps before have recorded. */
  continues: number | null;
};

/** Why a step requested nothing: sending is paused; other requests wait; the worker has enough to do. */
export type HeldBack = 'paused' | 'backlog' | 'meter';

export type BackfillStep = {
  /** In `ingestion_actions`; null until something was requested. */
  actionId: number | null;
  /** Requests made. */
  rows: number;
  /** How many of the recordings, from the first, are done with. */
  taken: number;
  heldBack: HeldBack | null;
  /** After so many ms the next one is due. */
  waitMs: number;
};

/**
 * Requests the first of the recordings, as many as the worker takes now: {@link stepSize} at the most, and none while
 * other requests wait. The meter is in the database, so that whoever else does the same slows this one down.
 *
 * @param recordings each once
 * @throws ActionInvalid without a reason
 */
export async function backfillStep(
  db: Queryable,
  recordings: IngestionRequest[],
  { perMinute, anew, reason, actor, selection, continues }: BackfillOptions,
): Promise<BackfillStep> {
  const first = recordings.slice(0, stepSize);
  try {
    const [step] = await db<[BackfillStep]>`
      SELECT action_id AS "actionId", rows, taken, held_back AS "heldBack", wait_ms AS "waitMs"
      FROM ingestion_outbox_backfill(
        isrcs => ${first.map(({ isrc }) => isrc)}::text[],
        titles => ${first.map(({ title }) => title)}::text[],
        artists => ${first.map(({ artist }) => artist)}::text[],
        albums => ${first.map(({ album }) => album)}::text[],
        artwork_urls => ${first.map(({ artworkUrl }) => artworkUrl ?? null)}::text[],
        per_minute => ${perMinute}, anew => ${anew}, reason => ${reason}, actor => ${actor ?? null},
        selection => ${JSON.stringify(selection)}::text::jsonb, continues => ${continues})`;
    return step;
  } catch (error) {
    throw translated(error);
  }
}

/**
 * Which of the recordings were never requested. With `anew`: which are not on their way, that is, neither open nor sent
 * within 26 hours and not seen in the index since.
 *
 * @param isrcs normalised
 */
export async function readUnrequested(
  db: Queryable,
  isrcs: string[],
  { anew }: { anew: boolean },
): Promise<Set<string>> {
  const rows = await db<{ isrc: string }[]>`
    SELECT isrc FROM ingestion_outbox_unrequested(${isrcs}::text[], ${anew}) AS unrequested (isrc)`;
  return new Set(rows.map(({ isrc }) => isrc));
}
