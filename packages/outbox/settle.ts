import type { Queryable } from '@segue/database/connection.ts';
import { arrayText } from './arrayText.ts';
import type { OwnedSlot } from './slots.ts';

/**
 * What becomes of a row.
 *
 *     pending ──┬── sent ──────▶ scheduled          (the recording's event was accepted)
 *       ▲  │    ├── answered ──▶ scheduled          (by the event of another forced row)
 *       │  │    ├── duplicate ─▶ skipped, duplicate
 *       │  │    ├── indexed ───▶ skipped, already_indexed
 *       │  │    └── dead ──────▶ dead               (refused, for the last time)
 *       └──┘ refused, and tried again after `delayMs`
 */
export type RowOutcome = {
  id: string;
  /** As it was read. A row whose ISRC was changed meanwhile is another request, and stays open. */
  isrc: string;
  slot: number;
  as: 'sent' | 'answered' | 'duplicate' | 'indexed' | 'dead' | 'refused';
  /** Whether the outcome is written into the ledger; for one row of a recording at the most. */
  leads: boolean;
  /** In the id of the event that was, or would have been, sent. */
  generation: number;
  /** Why it was refused. */
  error?: string;
  /** Until the next attempt. */
  delayMs?: number;
};

/** An album all of whose rows are settled now. */
export type ClosedBatch = { totalTracks: number; scheduledCount: number; skippedCount: number };

export type Settlement = {
  /** Slots that are no longer owned: nothing of them was changed. */
  lostSlots: number[];
  /** Ids of rows that were not changed: of lost slots, or settled, deleted or changed by somebody else. */
  unchanged: string[];
  closed: ClosedBatch[];
};

/**
 * Writes down what became of a batch, in one statement: rows, ledger and the counts of albums.
 *
 * Each slot's epoch is compared, and its row locked, so that nobody can take it before this is committed: what belongs
 * to a slot that is lost changes nothing. Slots, and albums, are locked in their order, so that two settlements never
 * wait for one another.
 *
 * The ledger says `sent_at` when an event was sent, and never before. Whatever could have been sent moves the generation
 * on, so that no later request meets an event id that a relay which was away may still post. What was sent counts even
 * when its row was deleted or changed meanwhile.
 *
 * The statement may be run again: rows that are settled stay as they are.
 */
export async function settle(
  db: Queryable,
  relay: string,
  slots: OwnedSlot[],
  rows: RowOutcome[],
  { dedupeWindowMs }: { dedupeWindowMs: number },
): Promise<Settlement> {
  const [answer] = await db<
    [{ heldSlots: number[] | null; writtenIds: string[] | null; closed: ClosedBatch[] | null }]
  >`
    WITH fence AS MATERIALIZED (
      SELECT slot.slot FROM relay_slots AS slot
      JOIN unnest(${slots.map(({ slot }) => slot)}::smallint[], ${slots.map(({ epoch }) => epoch)}::bigint[])
        AS held (slot, epoch) ON held.slot = slot.slot
      WHERE slot.owner = ${relay}::uuid AND slot.epoch = held.epoch
      ORDER BY slot.slot
      FOR SHARE OF slot
    ),
    outcome AS MATERIALIZED (
      SELECT given.id, given.isrc, given.what, given.leads, given.generation, given.error, given.delay_ms
      FROM unnest(
        ${arrayText(rows.map(row => row.id))}::text::bigint[], ${arrayText(rows.map(row => row.isrc))}::text::text[],
        ${arrayText(rows.map(row => row.slot))}::text::smallint[], ${arrayText(rows.map(row => row.as))}::text::text[],
        ${arrayText(rows.map(row => row.leads))}::text::boolean[], ${arrayText(rows.map(row => row.generation))}::text::int[],
        ${arrayText(rows.map(row => row.error ?? null))}::text::text[],
        ${arrayText(rows.map(row => row.delayMs ?? null))}::text::float8[]
      ) AS given (id, isrc, slot, what, leads, generation, error, delay_ms)
      WHERE given.slot = ANY(ARRAY(SELECT slot FROM fence))
    ),
    written AS (
      UPDATE ingestion_outbox AS request
      SET status = CASE
          WHEN outcome.what IN ('sent', 'answered') THEN 'scheduled'
          WHEN outcome.what IN ('duplicate', 'indexed') THEN 'skipped'
          WHEN outcome.what = 'dead' THEN 'dead'
          ELSE 'pending' END,
        reason = CASE outcome.what WHEN 'duplicate' THEN 'duplicate' WHEN 'indexed' THEN 'already_indexed'
          WHEN 'dead' THEN outcome.error END,
        generation = CASE WHEN outcome.what IN ('sent', 'answered') THEN outcome.generation END,
        settled_at = CASE WHEN outcome.what <> 'refused' THEN now() END,
        attempts = request.attempts + (outcome.what IN ('dead', 'refused'))::int,
        last_error = outcome.error,
        available_at = CASE WHEN outcome.what = 'refused'
          THEN now() + outcome.delay_ms * interval '1 millisecond' ELSE request.available_at END
      FROM outcome
      -- In words that none of the indexes of open rows has: on empty tables it would be walked in place of the ids.
      WHERE request.id = outcome.id AND request.status NOT IN ('scheduled', 'skipped', 'dead') AND request.isrc = outcome.isrc
      RETURNING request.id, request.album_batch_id, request.status
    ),
    noted AS (
      INSERT INTO ingestion_ledger AS ledger (isrc, outbox_id, generation, sent_at, indexed_at, dead_reason)
      SELECT isrc, id, generation, CASE what WHEN 'sent' THEN now() END, CASE what WHEN 'indexed' THEN now() END,
        CASE what WHEN 'dead' THEN error END
      FROM outcome WHERE leads AND what IN ('sent', 'indexed', 'dead')
      ORDER BY isrc
      ON CONFLICT (isrc) DO UPDATE SET generation = excluded.generation,
        -- A request that died beside a sending that counts does not take its place: what was sent is still looked for.
        outbox_id = CASE WHEN excluded.dead_reason IS NOT NULL
          AND ledger.sent_at > now() - ${dedupeWindowMs} * interval '1 millisecond'
          THEN ledger.outbox_id ELSE excluded.outbox_id END,
        sent_at = coalesce(excluded.sent_at, ledger.sent_at),
        indexed_at = coalesce(excluded.indexed_at, ledger.indexed_at),
        dead_reason = CASE WHEN ledger.sent_at > now() - ${dedupeWindowMs} * interval '1 millisecond' THEN NULL
          ELSE excluded.dead_reason END
      WHERE ledger.generation <= excluded.generation
    ),
    counted AS (
      SELECT album_batch_id AS id,
        count(*) FILTER (WHERE status = 'scheduled')::int AS scheduled,
        count(*) FILTER (WHERE status = 'skipped')::int AS skipped,
        count(*) FILTER (WHERE status = 'dead')::int AS dead
      FROM written WHERE album_batch_id IS NOT NULL AND status <> 'pending' GROUP BY album_batch_id
    ),
    locked AS MATERIALIZED (
      SELECT counted.* FROM album_ingestion_batches AS batch JOIN counted ON counted.id = batch.id
      ORDER BY batch.id FOR UPDATE OF batch
    ),
    totals AS (
      UPDATE album_ingestion_batches AS batch
      SET scheduled_count = batch.scheduled_count + locked.scheduled,
        skipped_count = batch.skipped_count + locked.skipped,
        dead_count = batch.dead_count + locked.dead
      FROM locked WHERE batch.id = locked.id
      RETURNING batch.*
    )
    SELECT
      (SELECT CASE WHEN count(*) < ${slots.length}::int THEN coalesce(array_agg(slot), '{}') END FROM fence) AS "heldSlots",
      (SELECT CASE WHEN count(*) < ${rows.length}::int THEN coalesce(array_agg(id::text), '{}') END FROM written) AS "writtenIds",
      (SELECT json_agg(json_build_object('totalTracks', total_tracks,
          'scheduledCount', scheduled_count, 'skippedCount', skipped_count))
        FROM totals WHERE scheduled_count + skipped_count + dead_count = total_tracks) AS closed`;
  // All slots and rows, almost always: then nothing is written out.
  const { heldSlots, writtenIds, closed } = answer;
  return {
    lostSlots:
      heldSlots === null
        ? []
        : missing(
            slots.map(({ slot }) => slot),
            heldSlots,
          ),
    unchanged:
      writtenIds === null
        ? []
        : missing(
            rows.map(({ id }) => id),
            writtenIds,
          ),
    closed: closed ?? [],
  };
}

function missing<Value>(wanted: Value[], found: Value[]): Value[] {
  const there = new Set(found);
  return wanted.filter(value => !there.has(value));
}
