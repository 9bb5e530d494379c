import type { Queryable } from '@segue/database/connection.ts';
import type { PendingQuery, Row } from 'postgres';

/** An album all of whose rows are settled now. */
export type ClosedBatch = { totalTracks: number; scheduledCount: number; skippedCount: number };

/**
 * What a settlement changed. A row that is missing from `ids` was no longer this lease's: another relay has
 * taken it over, and what became of it is that relay's to say.
 */
export type Settlement = { ids: number[]; closed: ClosedBatch[] };

type Fragment = PendingQuery<Row[]>;

/** What rows are settled as, the ids of a whole batch. */
export type Outcomes = {
  scheduled: { id: number; generation: number }[];
  /** Sent within the dedupe window by another request. */
  duplicates: number[];
  /** In the index already, which the ledger notes. What may have been sent before stays on record as sent. */
  indexed: number[];
  /**
   * In the index already, and these rows have certainly sent nothing, since they took their recordings in this very
   * claim: the ledger is put back as it was.
   */
  indexedUnsent: number[];
};

/**
 * Settles rows whose way has come to its end, all but those that are dead, in one statement.
 *
 * Nearly all of them are the first request for their recording, and were sent. Those are named by an array of ids
 * alone: PostgreSQL 17 and later look up a sorted array in one walk over the index's pages, at 0.2 us a row, where a
 * join with what each is settled as descends from the root for each, 1.0 us. The others are joined. (An update for
 * each outcome was tried: 5 updates a statement made batches of 100 a tenth slower.)
 */
export function settle(
  db: Queryable,
  lease: string,
  { scheduled = [], duplicates = [], indexed = [], indexedUnsent = [] }: Partial<Outcomes>,
): Promise<Settlement> {
  const first = scheduled.filter(row => row.generation === 1).map(row => row.id);
  const others: { id: number; as: string; generation: number | null }[] = [
    ...scheduled.filter(row => row.generation !== 1).map(row => ({ ...row, as: 'scheduled' })),
    ...duplicates.map(id => ({ id, as: 'duplicate', generation: null })),
    ...indexed.map(id => ({ id, as: 'indexed', generation: null })),
    ...indexedUnsent.map(id => ({ id, as: 'indexed_unsent', generation: null })),
  ];
  const otherIds = others.map(row => row.id);
  return settleWith(
    db,
    [...first, ...otherIds],
    db`first AS (
      UPDATE ingestion_outbox AS request
      SET settled_at = now(), last_error = NULL, status = 'scheduled', generation = 1
      WHERE request.id = ANY(${first}::bigint[]) AND ${owned(db, lease)}
      RETURNING request.id, request.album_batch_id, request.status
    ),
    others AS (
      UPDATE ingestion_outbox AS request
      SET settled_at = now(), last_error = NULL, generation = outcome.generation,
        status = CASE outcome.kind WHEN 'scheduled' THEN 'scheduled' ELSE 'skipped' END,
        reason = CASE outcome.kind WHEN 'scheduled' THEN NULL
          WHEN 'duplicate' THEN 'duplicate' ELSE 'already_indexed' END
      FROM unnest(
        ${otherIds}::bigint[], ${others.map(row => row.as)}::text[], ${others.map(row => row.generation)}::int[]
      ) AS outcome (id, kind, generation)
      WHERE request.id = outcome.id AND ${owned(db, lease)}
      RETURNING request.id, request.album_batch_id, request.status, request.isrc, outcome.kind
    ),
    corrected AS (
      UPDATE ingestion_ledger AS ledger
      SET indexed_at = now(),
        sent_at = CASE others.kind WHEN 'indexed_unsent' THEN ledger.prior_sent_at ELSE ledger.sent_at END,
        generation = ledger.generation - CASE others.kind WHEN 'indexed_unsent' THEN 1 ELSE 0 END
      FROM others
      WHERE others.kind IN ('indexed', 'indexed_unsent')
        AND ledger.isrc = others.isrc AND ledger.outbox_id = others.id
    ),
    settled AS (
      SELECT id, album_batch_id, status FROM first
      UNION ALL SELECT id, album_batch_id, status FROM others
    )`,
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
    [id],
    db`settled AS (
      UPDATE ingestion_outbox AS request
      SET status = 'dead', reason = ${reason}, last_error = ${reason}, settled_at = now(),
        attempts = attempts + 1
      WHERE id = ${id} AND ${owned(db, lease)}
      RETURNING id, isrc, album_batch_id, status
    ),
    corrected AS (
      UPDATE ingestion_ledger AS ledger
      SET sent_at = ledger.prior_sent_at,
        dead_reason = CASE
          WHEN ledger.prior_sent_at > now() - ${dedupeWindowMs} * interval '1 millisecond' THEN NULL
          ELSE ${reason}
        END
      FROM settled WHERE ledger.isrc = settled.isrc AND ledger.outbox_id = settled.id
    )`,
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
export function owned(db: Queryable, lease: string): Fragment {
  return db`request.lease = ${lease}::uuid AND request.status = 'in_flight'`;
}

/**
 * Runs a settlement in one statement with all that follows from it: the ledger's correction, and the count
 * of each album. Album rows are locked in order of their ids, so that two relays that settle rows of the same
 * two albums do not wait for one another.
 *
 * Mostly all of the rows are settled, and then their ids need not be written out and read again.
 *
 * @param ids of the rows that it is about
 * @param settlement CTEs, among them `settled` with the rows that it has changed
 */
async function settleWith(db: Queryable, ids: number[], settlement: Fragment): Promise<Settlement> {
  const [answer] = await db<[{ ids: number[] | null; closed: ClosedBatch[] | null }]>`
    WITH ${settlement},
    counted AS (
      SELECT album_batch_id AS id,
        count(*) FILTER (WHERE status = 'scheduled')::int AS scheduled,
        count(*) FILTER (WHERE status = 'skipped')::int AS skipped,
        count(*) FILTER (WHERE status = 'dead')::int AS dead
      FROM settled WHERE album_batch_id IS NOT NULL GROUP BY album_batch_id
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
      (SELECT CASE WHEN count(*) < ${ids.length}::int THEN coalesce(array_agg(id), '{}') END FROM settled) AS ids,
      (SELECT json_agg(json_build_object('totalTracks', total_tracks,
          'scheduledCount', scheduled_count, 'skippedCount', skipped_count))
        FROM totals WHERE scheduled_count + skipped_count + dead_count = total_tracks) AS closed`;
  return { ids: answer.ids ?? ids, closed: answer.closed ?? [] };
}
