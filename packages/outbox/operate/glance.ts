import type { Queryable } from '@segue/database/connection.ts';
import type { BoundedCount } from './count.ts';
import { longestRead } from './cut.ts';
import { openRows } from './openRows.ts';
import { type KnownRelay, type OrphanedSlots, readOrphanedSlots, readRelays } from './relays.ts';
import { readSending, type Sending } from './sending.ts';

/** How the outbox stands, by counts that stop at a bound or are estimated: whatever waits, a glance takes some 10 ms. */
export type Glance = {
  /** By the database's clock. */
  at: Date;
  open: OpenRequests;
  dead: DeadRequests;
  owed: CatalogOwed;
  sending: Sending;
  relays: KnownRelay[];
  slots: OrphanedSlots;
};

export type OpenRequests = {
  count: number;
  /** Whether the count is an estimate, of two digits: where more than {@link lookedAt} wait. */
  isEstimate: boolean;
  /** Since the oldest was requested; null when there is none. */
  oldestSeconds: number | null;
  /** Of the oldest {@link lookedAt}: how many wait for a later attempt. */
  later: number;
  /** Of the oldest {@link lookedAt}: how many Inngest has refused, and are tried again. */
  refused: number;
  /** Of the oldest {@link lookedAt}: how long the oldest that may be sent has been due; null when there is none. */
  oldestDueSeconds: number | null;
};

export type DeadRequests = BoundedCount & {
  lastHour: number;
  /** The most frequent refusals, at most five. */
  reasons: { reason: string; count: number; lastAt: Date }[];
  /** The recordings of the newest, at most three. */
  newest: { isrc: string; title: string }[];
};

/** What TIDAL still owes (rule R11). */
export type CatalogOwed = BoundedCount & {
  tracks: number;
  /** Of how many items TIDAL has failed the last time it was asked. */
  failing: number;
  /** Since when TIDAL has failed for the one that it fails for longest; null when it fails for none. */
  failingSince: Date | null;
  /** The oldest, at most five. */
  items: OwedItem[];
};

export type OwedItem = {
  kind: 'album' | 'track';
  title: string;
  artist: string;
  tracksOwed: number;
  owedSince: Date;
  /** Attempts that have failed in a row. */
  attempts: number;
  failingSince: Date | null;
  lastError: string | null;
  nextAttemptAt: Date | null;
  albumBatchId: number | null;
};

/** The oldest open requests are counted one by one, and more than their number is told. */
export const lookedAt = 10_000;
const countedDead = 10_000;
const countedOwed = 10_000;

export async function readGlance(db: Queryable): Promise<Glance> {
  const [clock, open, dead, owed, sending, relays, slots] = await Promise.all([
    db<[{ at: Date }]>`SELECT now() AS at`,
    readOpenRequests(db),
    readDeadRequests(db),
    readOwed(db),
    readSending(db),
    readRelays(db),
    readOrphanedSlots(db),
  ]);
  return { at: clock[0].at, open, dead, owed, sending, relays, slots };
}

export async function readOpenRequests(db: Queryable): Promise<OpenRequests> {
  const [answer] = await db<[Omit<OpenRequests, 'isEstimate'>]>`
    WITH ${openRows(db, lookedAt)}
    SELECT (SELECT coalesce(sum(stands_for), 0)::float8 FROM open) AS count,
      extract(epoch FROM now() - min(created_at))::float8 AS "oldestSeconds",
      count(*) FILTER (WHERE available_at > now())::int AS later,
      count(*) FILTER (WHERE attempts > 0)::int AS refused,
      extract(epoch FROM now() - min(greatest(created_at, available_at)) FILTER (WHERE available_at <= now()))::float8
        AS "oldestDueSeconds"
    FROM counted`;
  const isEstimate = answer.count > lookedAt;
  return { ...answer, isEstimate, count: isEstimate ? Number(answer.count.toPrecision(2)) : answer.count };
}

export async function readDeadRequests(db: Queryable): Promise<DeadRequests> {
  const [answer] = await db<
    [Omit<DeadRequests, 'reasons'> & { reasons: { reason: string; count: number; lastAt: string }[] }]
  >`
    WITH dead AS MATERIALIZED (
      SELECT left(coalesce(reason, ''), 300) AS reason, settled_at FROM ingestion_outbox
      WHERE status = 'dead' ORDER BY created_at DESC, id DESC LIMIT ${countedDead + 1}
    )
    SELECT count(*)::int AS count, count(*) FILTER (WHERE settled_at > now() - interval '1 hour')::int AS "lastHour",
      (SELECT coalesce(jsonb_agg(frequent), '[]') FROM (
        SELECT reason, count(*)::int AS count, max(settled_at) AS "lastAt" FROM dead
        GROUP BY reason ORDER BY count(*) DESC, reason LIMIT 5
      ) AS frequent) AS reasons,
      (SELECT coalesce(jsonb_agg(newest), '[]') FROM (
        SELECT isrc, left(title, ${longestRead}::int) AS title FROM ingestion_outbox
        WHERE status = 'dead' ORDER BY created_at DESC, id DESC LIMIT 3
      ) AS newest) AS newest
    FROM dead`;
  const reasons = answer.reasons.map(each => ({ ...each, lastAt: new Date(each.lastAt) }));
  return { lastHour: answer.lastHour, reasons, newest: answer.newest, ...bounded(answer.count, countedDead) };
}

export async function readOwed(db: Queryable): Promise<CatalogOwed> {
  const [[totals], items] = await Promise.all([
    db<[Pick<CatalogOwed, 'count' | 'tracks' | 'failing' | 'failingSince'>]>`
      SELECT count(*)::int AS count, coalesce(sum(tracks_owed), 0)::int AS tracks, count(failing_since)::int AS failing,
        min(failing_since) AS "failingSince"
      FROM (SELECT tracks_owed, failing_since FROM ingestion_catalog_pending LIMIT ${countedOwed + 1}) AS owed`,
    readOwedItems(db, { limit: 5 }),
  ]);
  return {
    tracks: totals.tracks,
    failing: totals.failing,
    failingSince: totals.failingSince,
    items,
    ...bounded(totals.count, countedOwed),
  };
}

/** What TIDAL owes, the oldest first; of one album's batch where it is named. */
export function readOwedItems(
  db: Queryable,
  { limit, albumBatchId = null }: { limit: number; albumBatchId?: number | null },
): Promise<OwedItem[]> {
  return db<OwedItem[]>`
    SELECT kind, left(title, ${longestRead}::int) AS title, left(artist, ${longestRead}::int) AS artist,
      tracks_owed AS "tracksOwed", owed_since AS "owedSince", attempts, failing_since AS "failingSince",
      left(last_error, ${longestRead}::int) AS "lastError", next_attempt_at AS "nextAttemptAt", album_batch_id AS "albumBatchId"
    FROM ingestion_catalog_pending
    WHERE ${albumBatchId}::bigint IS NULL OR album_batch_id = ${albumBatchId}
    ORDER BY owed_since, item_id LIMIT ${limit}`;
}

function bounded(counted: number, bound: number): BoundedCount {
  return { count: Math.min(counted, bound), more: counted > bound };
}
