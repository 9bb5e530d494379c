import type { Queryable } from '@segue/database/connection.ts';
import type { PendingQuery, Row } from 'postgres';
import { arrayText } from './arrayText.ts';
import { bytesOf, type OpenRow, openRowColumns } from './row.ts';

/** Where a row stands in the order of reading. */
export type Position = { availableAt: string; id: string };

/** Where a read begins in each slot. */
export type SlotStart = {
  slot: number;
  /** Behind this position; at the oldest row when it is left out. */
  after?: Position | undefined;
};

export type ReadOptions = {
  /** In the order in which they are read. */
  starts: SlotStart[];
  /** Rows at the most, and of one slot. */
  limit: number;
  perSlot: number;
  /** Bytes of texts at the most; the first row is read whatever it has. */
  bytes: number;
  /** Recordings that are left out, since this relay has them in hand. */
  without: string[];
  dedupeWindowMs: number;
  /**
   * The newest plain requests that nobody has refused, in place of the oldest requests. Forced ones must wait for plain
   * ones that are older.
   */
  newest?: boolean;
};

/** The least position of all; no row has it. */
const beginning: Position = { availableAt: '-infinity', id: '-9223372036854775808' };

/**
 * Reads open requests that are due, in each slot the oldest first, with what the ledger knows of their recordings.
 * Nothing is written and nothing is locked: the relay owns the slots, so that nobody else works on these rows.
 *
 * The index is walked slot by slot, at 10 us a slot. In a backlog a few rows of each slot stand in the same pages, as
 * they were written at the same time. `NOT IN` is a hashed subplan, where `<> ALL` would compare each row with each
 * recording that is left out.
 *
 * Nothing is read while sending is paused; what is in hand is finished.
 *
 * @returns rows, those of a slot together; none when nothing is due
 */
export function readOpen(
  db: Queryable,
  { starts, limit, perSlot, bytes, without, dedupeWindowMs, newest = false }: ReadOptions,
): Promise<OpenRow[]> {
  const positions = starts.map(({ after }) => after ?? beginning);
  const which = newest
    ? db`AND NOT open.force AND open.attempts = 0 ORDER BY open.available_at DESC, open.id DESC`
    : db`ORDER BY open.available_at, open.id`;
  return db<OpenRow[]>`
    SELECT ${openRowColumns(db, db`page`)}, ${ledgerColumns(db, dedupeWindowMs)}
    FROM (
      SELECT request.*, owned.slot, sum(request.bytes) OVER (ROWS UNBOUNDED PRECEDING) AS bytes_so_far
      FROM unnest(
        ${starts.map(({ slot }) => slot)}::smallint[],
        ${positions.map(({ availableAt }) => availableAt)}::text[],
        ${positions.map(({ id }) => id)}::text[]
      ) AS owned (slot, after_moment, after_id)
      CROSS JOIN LATERAL (
        SELECT open.*, ${bytesOf(db, db`open`)} AS bytes
        FROM ingestion_outbox AS open
        WHERE recording_slot(open.isrc) = owned.slot AND open.status IN ('pending', 'in_flight')
          AND open.available_at <= now()
          AND (open.available_at, open.id) > (owned.after_moment::timestamptz, owned.after_id::bigint)
          AND open.isrc NOT IN (SELECT unnest(${arrayText(without)}::text::text[]))
          AND NOT EXISTS (SELECT FROM relay_control WHERE paused_at IS NOT NULL)
          ${which}
        LIMIT ${perSlot}::int
      ) AS request
      LIMIT ${limit}::int
    ) AS page
    LEFT JOIN ingestion_ledger AS ledger ON ledger.isrc = page.isrc
    WHERE page.bytes_so_far - page.bytes < ${bytes}`;
}

/** A recording, and the slot that it belongs to. */
export type SlotRecording = { slot: number; isrc: string };

/**
 * Reads the oldest open plain request for each of these recordings, unless it is a duplicate: it goes before forced ones,
 * wherever it stands.
 *
 * One statement walks the open requests of their slots. One for each recording walked its slot anew: an addition waited 12 s
 * beside 20,000 forced requests for as many recordings.
 */
export async function readPlain(
  db: Queryable,
  recordings: SlotRecording[],
  { dedupeWindowMs }: { dedupeWindowMs: number },
): Promise<OpenRow[]> {
  const rows = await db<OpenRow[]>`
    SELECT ${openRowColumns(db, db`page`)}, ${ledgerColumns(db, dedupeWindowMs)}
    FROM (
      SELECT DISTINCT ON (open.isrc) open.*, recording_slot(open.isrc) AS slot, ${bytesOf(db, db`open`)} AS bytes
      FROM ingestion_outbox AS open
      WHERE ${isOpenOf(db, recordings)} AND NOT open.force
      ORDER BY open.isrc, open.available_at, open.id
    ) AS page
    LEFT JOIN ingestion_ledger AS ledger ON ledger.isrc = page.isrc`;
  return rows.filter(({ isSent }) => !isSent);
}

/** Ids at the most: as many as one settlement writes in some 100 ms. */
const forcedAtOnce = 10_000;

/**
 * Reads the open forced requests for these recordings, by their ids. All that are there now are answered by what is sent
 * afterwards (rule R5).
 *
 * @returns at most {@link forcedAtOnce}, the oldest first
 */
export function readForced(
  db: Queryable,
  recordings: SlotRecording[],
): Promise<{ id: string; isrc: string }[]> {
  return db<{ id: string; isrc: string }[]>`
    SELECT open.id::text AS id, open.isrc FROM ingestion_outbox AS open
    WHERE ${isOpenOf(db, recordings)} AND open.force
    ORDER BY open.available_at, open.id
    LIMIT ${forcedAtOnce}`;
}

/**
 * Whether the row named `open` is open, due, and for one of these recordings. With `IS TRUE` the list is a hashed subplan, and
 * the slots are walked once; a plain `IN` is a join, whose plan walked them for each recording.
 */
function isOpenOf(db: Queryable, recordings: SlotRecording[]): PendingQuery<Row[]> {
  return db`recording_slot(open.isrc) = ANY(${[...new Set(recordings.map(({ slot }) => slot))]}::smallint[])
    AND open.status IN ('pending', 'in_flight') AND open.available_at <= now()
    AND (open.isrc IN (SELECT unnest(${arrayText(recordings.map(({ isrc }) => isrc))}::text::text[]))) IS TRUE`;
}

/**
 * What the ledger knows of a row's recording, from its entry that is joined as `ledger`. A recording that was sent and given
 * up as never indexed (rule R12) is dead, and a request that follows is no duplicate.
 */
function ledgerColumns(db: Queryable, dedupeWindowMs: number): PendingQuery<Row[]> {
  return db`coalesce(ledger.generation, 0) AS generation,
    coalesce(ledger.sent_at > now() - ${dedupeWindowMs} * interval '1 millisecond' AND ledger.dead_reason IS NULL, false)
      AS "isSent"`;
}
