import type { Queryable } from '@segue/database/connection.ts';
import type { PendingQuery, Row } from 'postgres';

/** An album all of whose rows are settled now. */
export type ClosedBatch = { totalTracks: number; scheduledCount: number; skippedCount: number };

/**
 * What a settlement changed. A row that is missing from `ids` was no longer this lease's: another relay has
 * taken it over, and what became of it is that relay's to say.
 */
export type Settlement = { ids: number[]; closed: ClosedBatch[] };

/** What a row is settled as, with all the others of its batch in one statement. */
export type Settling = { id: number } & (
  | { as: 'scheduled'; generation: number }
  /** Sent within the dedupe window by another request. */
  | { as: 'duplicate' }
  /**
   * In the index already, which the ledger notes. `unsent`: the row has certainly sent nothing, since it took
   * the recording in this very claim; then the ledger is put back as it was. What may have been sent before stays
   * on record as sent.
   */
  | { as: 'indexed' | 'indexed_unsent' }
);

/** Settles rows whose way has come to its end, all but those that are dead. */
export function settle(db: Queryable, lease: string, rows: Settling[]): Promise<Settlement> {
  const generations = rows.map(row => (row.as === 'scheduled' ? row.generation : null));
  return settleWith(
    db,
    db`UPDATE ingestion_outbox AS request
      SET settled_at = now(), last_error = NULL, generation = outcome.generation,
        status = CASE outcome.kind WHEN 'scheduled' THEN 'scheduled' ELSE 'skipped' END,
        reason = CASE outcome.kind WHEN 'scheduled' THEN NULL
          WHEN 'duplicate' THEN 'duplicate' ELSE 'already_indexed' END
      FROM unnest(
        ${rows.map(row => row.id)}::bigint[], ${rows.map(row => row.as)}::text[], ${generations}::int[]
      ) AS outcome (id, kind, generation)
      WHERE request.id = outcome.id AND ${owned(db, lease)}
      RETURNING request.id, request.isrc, request.album_batch_id, request.status, outcome.kind`,
    db`UPDATE ingestion_ledger AS ledger
      SET indexed_at = now(),
        sent_at = CASE settled.kind WHEN 'indexed_unsent' THEN ledger.prior_sent_at ELSE ledger.sent_at END,
        generation = ledger.generation - CASE settled.kind WHEN 'indexed_unsent' THEN 1 ELSE 0 END
      FROM settled
      WHERE settled.kind IN ('indexed', 'indexed_unsent')
        AND ledger.isrc = settled.isrc AND ledger.outbox_id = settled.id`,
  );
}

/**
 * Settles a row that is refused for good. The ledger forgets the sending, so that the next request for the
 * recording is no duplicate (rule R5), and keeps the generation, so that it gets an event id of its own.
 *
 * A forced request may die while an earlier sending is within the dedupe window. The next ones are duplicates of
 * that: the recording was sent, and the ledger does not call it dead.
 *
 * @param reason what refused it, for people
 */
export function settleDead(
  db: Queryable,
  lease: string,
  { id, reason }: { id: number; reason: string },
  { dedupeWindowMs }: { dedupeWindowMs: number },
): Promise<Settlement> {
  return settleWith(
    db,
    db`UPDATE ingestion_outbox AS request
      SET status = 'dead', reason = ${reason}, last_error = ${reason}, settled_at = now(),
        attempts = attempts + 1
      WHERE id = ${id} AND ${owned(db, lease)}
      RETURNING id, isrc, album_batch_id, status`,
    db`UPDATE ingestion_ledger AS ledger
      SET sent_at = ledger.prior_sent_at,
        dead_reason = CASE
          WHEN ledger.prior_sent_at > now() - ${dedupeWindowMs} * interval '1 millisecond' THEN NULL
          ELSE ${reason}
        END
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
export function owned(db: Queryable, lease: string): PendingQuery<Row[]> {
  return db`request.lease = ${lease}::uuid AND request.status = 'in_flight'`;
}

/**
 * Runs a settlement in one statement with all that follows from it: the ledger's correction, and the count
 * of each album. Album rows are locked in order of their ids, so that two relays that settle rows of the same
 * two albums do not wait for one another.
 */
async function settleWith(
  db: Queryable,
  settlement: PendingQuery<Row[]>,
  correction: PendingQuery<Row[]>,
): Promise<Settlement> {
  const [answer] = await db<[{ ids: number[] | null; closed: ClosedBatch[] | null }]>`
    WITH settled AS (${settlement}),
    corrected AS (${correction}),
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
