import type { Queryable } from '@segue/database/connection.ts';

/** Rows a page: a read of some milliseconds. */
const rowsAtOnce = 500;
/** Of those seen in the index before, how many a page are asked for again: enough to notice that the index was wiped. */
const sampledAtOnce = 10;
/** Lost recordings that one call works on. */
export const lostAtOnce = 100;

/** A recording that was sent, by the request that did it. */
export type SentRecording = {
  /** Of the request, as text. */
  id: string;
  isrc: string;
  /** In ms since 1970. */
  sentAtMs: number;
};

/**
 * Reads which of the recordings are overdue, by the request that sent them last: sent longer ago than `afterMs`, not seen
 * in the index since, and neither given up nor older than what is kept of the outbox.
 *
 * @returns the oldest first
 */
export function readOverdue(
  db: Queryable,
  isrcs: string[],
  { afterMs }: { afterMs: number },
): Promise<SentRecording[]> {
  return db<SentRecording[]>`
    SELECT request.id::text AS id, ledger.isrc, extract(epoch FROM ledger.sent_at)::float8 * 1000 AS "sentAtMs"
    FROM ingestion_ledger AS ledger
    -- By the recording, too: the id may be another's, when the table was truncated and its ids began anew.
    JOIN ingestion_outbox AS request ON request.id = ledger.outbox_id AND request.isrc = ledger.isrc
    WHERE ledger.isrc = ANY(${isrcs}::text[]) AND request.status = 'scheduled'
      AND ledger.sent_at IS NOT NULL AND (ledger.indexed_at IS NULL OR ledger.indexed_at < ledger.sent_at)
      AND greatest(ledger.sent_at, request.settled_at) < now() - ${afterMs} * interval '1 millisecond'
    ORDER BY ledger.sent_at, request.id`;
}

export type SeenPage = {
  /** Some of the recordings that were seen in the index since they were sent. */
  sample: string[];
  /** When the latest of all of them was sent, in ms since 1970; null when there is none. */
  newestSentAtMs: number | null;
  /** Where the next page goes on, towards older rows; null at the end. */
  before: string | null;
};

/**
 * Reads what was sent and seen in the index, one page of the outbox, the newest first. Of each recording only the request
 * that sent it last counts.
 *
 * @param before only requests with a lower id; null for the newest
 */
export async function readSeen(db: Queryable, { before }: { before: string | null }): Promise<SeenPage> {
  const [page] = await db<[SeenPage]>`
    WITH page AS MATERIALIZED (
      SELECT id, isrc, status FROM ingestion_outbox
      WHERE id < ${before ?? '9223372036854775807'}::text::bigint ORDER BY id DESC LIMIT ${rowsAtOnce}
    ),
    seen AS MATERIALIZED (
      SELECT page.isrc, ledger.sent_at
      FROM page, LATERAL (SELECT * FROM ingestion_ledger WHERE isrc = page.isrc LIMIT 1) AS ledger
      WHERE page.status = 'scheduled' AND ledger.outbox_id = page.id AND ledger.indexed_at >= ledger.sent_at
    )
    SELECT
      ARRAY(SELECT isrc FROM seen ORDER BY md5(isrc) LIMIT ${sampledAtOnce}) AS sample,
      (SELECT extract(epoch FROM max(sent_at))::float8 * 1000 FROM seen) AS "newestSentAtMs",
      (SELECT min(id)::text FROM page HAVING count(*) = ${rowsAtOnce}::int) AS before`;
  return page;
}

/**
 * Takes, or keeps, the turn at comparing: one relay at a time, on the database's clock.
 *
 * @param holder of this relay, a uuid
 * @returns whether it is this relay's turn
 */
export async function holdReconciliation(
  db: Queryable,
  { holder, leaseMs }: { holder: string; leaseMs: number },
): Promise<boolean> {
  const rows = await db`
    UPDATE relay_reconciliation SET holder = ${holder}::uuid, lease_end = now() + ${leaseMs} * interval '1 millisecond'
    WHERE holder = ${holder}::uuid OR lease_end < now() RETURNING holder`;
  return rows.length > 0;
}

/** Gives the turn to whoever asks next. */
export async function releaseReconciliation(db: Queryable, holder: string): Promise<void> {
  await db`UPDATE relay_reconciliation SET lease_end = '-infinity' WHERE holder = ${holder}::uuid`;
}

/** Why nothing is sent anew, as a word and for people. */
export type Pause = { cause: 'index_unavailable' | 'index_wiped' | 'worker_behind'; reason: string };

/**
 * Notes that nothing is sent anew, or (null) that it goes on.
 *
 * @returns whether that is news
 */
export async function notePause(db: Queryable, holder: string, pause: Pause | null): Promise<boolean> {
  const rows = await db`
    UPDATE relay_reconciliation SET paused_cause = ${pause?.cause ?? null}::text, paused_reason = ${pause?.reason ?? null},
      paused_at = CASE WHEN ${pause?.cause ?? null}::text IS NOT NULL THEN now() END
    WHERE holder = ${holder}::uuid AND paused_cause IS DISTINCT FROM ${pause?.cause ?? null}::text RETURNING holder`;
  return rows.length > 0;
}

/** A recording that was sent anew, or given up; `times`: how often it was sent in all. */
export type Reconciled = { isrc: string; title: string; times: number };

export type Reconciliation = { sentAnew: Reconciled[]; neverIndexed: Reconciled[] };

/**
 * Requests recordings anew that were sent and are not in the index: the ledger forgets the sending and keeps the
 * generation, so that the new request is no duplicate and gets the next event id (rules R5 and R6). A recording that was
 * sent anew `limit` times becomes dead instead.
 *
 * `ingestion_outbox_reconcile()` in `drizzle/` decides, and looks once more: at the turn of this relay, at each recording (not seen or sent meanwhile), at
 * `perMinute` over all relays, at the pause of sending, and at what waits in the outbox, which goes first.
 *
 * @param lost the first hundred are looked at, in the order given
 */
export async function sendAnew(
  db: Queryable,
  lost: SentRecording[],
  {
    holder,
    afterMs,
    limit,
    perMinute,
  }: { holder: string; afterMs: number; limit: number; perMinute: number },
): Promise<Reconciliation> {
  const first = lost.slice(0, lostAtOnce);
  const [answer] = await db<[Reconciliation]>`
    SELECT sent_anew AS "sentAnew", never_indexed AS "neverIndexed" FROM ingestion_outbox_reconcile(
      holding => ${holder}::uuid,
      lost_ids => ${first.map(({ id }) => id)}::text[]::bigint[],
      lost_isrcs => ${first.map(({ isrc }) => isrc)}::text[],
      overdue => ${afterMs} * interval '1 millisecond', at_most => ${limit}, per_minute => ${perMinute})`;
  return answer;
}
