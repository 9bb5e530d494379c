import { blanks } from '@segue/ingestion/blanks.ts';
import { type SQL, sql } from 'drizzle-orm';

/** Where a statement has what decides a recording's status. */
export type RecordingColumns = {
  /** As the library keeps it: normalised where it is valid. */
  isrc: SQL;
  title: SQL;
  /** When the item that holds the recording was added. */
  requestedAt: SQL;
};

/**
 * How far a recording came, as an expression. Single items, filters and counts all take it from here, so that they
 * speak in the same terms.
 *
 * ```
 *  no usable ISRC or title: NOT_REQUESTED
 *
 *  PENDING ──▶ SCHEDULED ──▶ INDEXED ──▶ PENDING …     requested anew, and not sent yet
 *     │                         ▲
 *     ├─── seen in the index ───┘
 *     └──▶ FAILED ──▶ PENDING …                         requested since it died
 * ```
 *
 * Reads `ledger` and `request`: see {@link ledgerJoins}.
 */
export function statusCase({ isrc, title, requestedAt }: RecordingColumns): SQL {
  return sql`CASE
    WHEN ${isrc} IS NULL OR ${isrc} COLLATE "C" !~ '^[A-Z0-9]{12}$' OR btrim(${title}, ${blanks}) = ''
      THEN 'NOT_REQUESTED'
    WHEN ledger.isrc IS NULL OR (request.id IS NOT NULL AND request.settled_at IS NULL) THEN 'PENDING'
    WHEN ledger.dead_reason IS NOT NULL
      THEN CASE WHEN ${requestedAt} > request.settled_at THEN 'PENDING' ELSE 'FAILED' END
    WHEN ledger.indexed_at IS NOT NULL AND (ledger.sent_at IS NULL OR ledger.indexed_at >= ledger.sent_at)
      THEN 'INDEXED'
    WHEN ledger.sent_at IS NULL THEN 'PENDING'
    ELSE 'SCHEDULED'
  END`;
}

/**
 * Joins the ledger's entry for a recording as `ledger`, and the request that owns the recording as `request`.
 *
 * Each is looked up by its key, recording by recording: LIMIT keeps PostgreSQL from reading all of a ledger of
 * millions to join it with a library of thousands. The request's id may be that of another recording, when the table was
 * truncated and its ids began anew.
 */
export function ledgerJoins(isrc: SQL): SQL {
  return sql`
    LEFT JOIN LATERAL (SELECT * FROM ingestion_ledger WHERE isrc = ${isrc} LIMIT 1) AS ledger ON true
    LEFT JOIN LATERAL (
      SELECT * FROM ingestion_outbox WHERE id = ledger.outbox_id AND isrc = ledger.isrc LIMIT 1
    ) AS request ON true`;
}

/**
 * Whether a recording has one of the statuses, as a condition on its own.
 *
 * The comparison is within the subquery, which PostgreSQL takes to hold for half of the rows. Outside of it, it is taken
 * to hold for 1 in 200: then all items of a user are read and sorted for a page of them, instead of in their order until
 * the page is full.
 */
export function hasStatus(recording: RecordingColumns, statuses: readonly string[]): SQL {
  return sql`(
    SELECT ${statusCase(recording)} = ANY(${sql.param(statuses)}::text[])
    FROM (SELECT) AS recording ${ledgerJoins(recording.isrc)}
  )`;
}
