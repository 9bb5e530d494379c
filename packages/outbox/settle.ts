import type { Queryable } from '@segue/database/connection.ts';
import type { PendingQuery, Row } from 'postgres';

/** An album all of whose rows are settled now. */
export type ClosedBatch = { totalTracks: number; scheduledCount: number; skippedCount: number };

/**
 * What a settlement changed. A row that is missing from `ids` was no longer this lease's: another relay has
 * taken it over, and what became of it is that relay's to say.
 */
export type Settlement = { ids: number[]; closed: ClosedBatch[] };

/** Settles rows whose event Inngest accepted. */
export function settleScheduled(
  db: Queryable,
  lease: string,
  ids: number[],
  generation: number,
): Promise<Settlement> {
  return settle(
    db,
    db`UPDATE ingestion_outbox
      SET status = 'scheduled', settled_at = now(), generation = ${generation}, last_error = NULL
      WHERE ${owned(db, lease, ids)}
      RETURNING id, album_batch_id, status`,
  );
}

/** Settles rows whose recording was sent within the dedupe window by another request. */
export function settleDuplicates(db: Queryable, lease: string, ids: number[]): Promise<Settlement> {
  return settle(
    db,
    db`UPDATE ingestion_outbox
      SET status = 'skipped', reason = 'duplicate', settled_at = now(), last_error = NULL
      WHERE ${owned(db, lease, ids)}
      RETURNING id, album_batch_id, status`,
  );
}

/**
 * Settles rows whose recording the index has already, and notes in the ledger that it does.
 *
 * @param unsent whether the rows have certainly sent nothing, since they took the recording in this very
 * claim: then the ledger is put back as it was. A row that may have been sent before stays on record as sent.
 */
export function settleIndexed(
  db: Queryable,
  lease: string,
  ids: number[],
  { unsent }: { unsent: boolean },
): Promise<Settlement> {
  return settle(
    db,
    db`UPDATE ingestion_outbox
      SET status = 'skipped', reason = 'already_indexed', settled_at = now(), last_error = NULL
      WHERE ${owned(db, lease, ids)}
      RETURNING id, isrc, album_batch_id, status`,
    db`UPDATE ingestion_ledger AS ledger
      SET indexed_at = now(),
        sent_at = CASE WHEN ${unsent} THEN ledger.prior_sent_at ELSE ledger.sent_at END,
        generation = ledger.generation - CASE WHEN ${unsent} THEN 1 ELSE 0 END
      FROM settled WHERE ledger.isrc = settled.isrc AND ledger.outbox_id = settled.id`,
  );
}

/**
 * Settles a row that is refused for good. The ledger forgets the sending, so that the next request for the
 * recording is no duplicate (rule R5), and keeps the generation, so that it gets an event id of its own.
 *
 * @param reason what refused it, for people
 */
export function settleDead(db: Queryable, lease: string, id: number, reason: string): Promise<Settlement> {
  return settle(
    db,
    db`UPDATE ingestion_outbox
      SET status = 'dead', reason = ${reason}, last_error = ${reason}, settled_at = now(),
        attempts = attempts + 1
      WHERE ${owned(db, lease, [id])}
      RETURNING id, isrc, album_batch_id, status`,
    db`UPDATE ingestion_ledger AS ledger
      SET sent_at = ledger.prior_sent_at, dead_reason = ${reason}
      FROM settled WHERE ledger.isrc = settled.isrc AND ledger.outbox_id = settled.id`,
  );
}

/**
 * Which of the rows were settled under this lease already. For a settlement whose answer was lost with the
 * connection: repeated, it finds nothing to change, and the rows are its own all the same.
 */
export async function readSettledUnder(db: Queryable, lease: string, ids: number[]): Promise<number[]> {
  const rows = await db<{ id: number }[]>`
    SELECT id FROM ingestion_outbox
    WHERE id = ANY(${ids}::bigint[]) AND lease = ${lease}::uuid AND settled_at IS NOT NULL`;
  return rows.map(row => row.id);
}

/**
 * Only what is still owned may be changed: a relay that was away past its lease must not overwrite what its
 * successor made of the row (river#1302, wolverine#585, namastack#204).
 */
export function owned(db: Queryable, lease: string, ids: number[]): PendingQuery<Row[]> {
  return db`id = ANY(${ids}::bigint[]) AND lease = ${lease}::uuid AND status = 'in_flight'`;
}

/**
 * Runs a settlement in one statement with all that follows from it: the ledger's correction, and the count
 * of each album. Album rows are locked in order of their ids, so that two relays that settle rows of the same
 * two albums do not wait for one another.
 */
async function settle(
  db: Queryable,
  settlement: PendingQuery<Row[]>,
  correction?: PendingQuery<Row[]>,
): Promise<Settlement> {
  const [answer] = await db<[{ ids: number[] | null; closed: ClosedBatch[] | null }]>`
    WITH settled AS (${settlement}),
    ${correction ? db`corrected AS (${correction}),` : db``}
    counted AS (
      SELECT album_batch_id AS id,
        count(*) FILTER (WHERE status = 'scheduled')::int AS scheduled,
        count(*) FILTER (WHERE status = 'skipped')::int AS skipped,
        count(*) FILTER (WHERE status = 'dead')::int AS dead
      FROM settled WHERE album_batch_id IS NOT NULL GROUP BY album_batch_id
    ),
    locked AS MATERIALIZED (
      SELECT batch.id FROM album_ingestion_batches AS batch JOIN counted ON counted.id = batch.id
      ORDER BY batch.id FOR UPDATE OF batch
    ),
    totals AS (
      UPDATE album_ingestion_batches AS batch
      SET scheduled_count = batch.scheduled_count + counted.scheduled,
        skipped_count = batch.skipped_count + counted.skipped,
        dead_count = batch.dead_count + counted.dead
      FROM counted JOIN locked ON locked.id = counted.id
      WHERE batch.id = counted.id
      RETURNING batch.*
    )
    SELECT
      (SELECT array_agg(id) FROM settled) AS ids,
      (SELECT json_agg(json_build_object('totalTracks', total_tracks,
          'scheduledCount', scheduled_count, 'skippedCount', skipped_count))
        FROM totals WHERE scheduled_count + skipped_count + dead_count = total_tracks) AS closed`;
  return { ids: answer.ids ?? [], closed: answer.closed ?? [] };
}
