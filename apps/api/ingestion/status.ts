import { trackIngestionSchema } from '@segue/ingestion/event.ts';
import { isIsrc, readIsrc } from '@segue/ingestion/isrc.ts';
import { sql } from 'drizzle-orm';
import type { Database } from '../database.ts';
import { batched } from './batched.ts';
import { ledgerJoins, statusCase } from './statusInSql.ts';

export const ingestionStatuses = ['NOT_REQUESTED', 'PENDING', 'SCHEDULED', 'INDEXED', 'FAILED'] as const;
export type IngestionStatus = (typeof ingestionStatuses)[number];

/** What became of a recording in the library, as the GraphQL type `Ingestion` shows it. */
export type Ingestion = {
  status: IngestionStatus;
  requestedAt: Date | null;
  scheduledAt: Date | null;
  reason: string | null;
};

/** A recording in the library: what of it decides whether it was requested, and when that was. */
export type RequestedRecording = { isrc: string | null; title: string; createdAt: Date };

/** A recording that was requested. */
type Request = { isrc: string; requestedAt: Date };

/** Gives the status of one recording. Those asked for in the same turn are looked up together. */
export type StatusLookup = (recording: RequestedRecording) => Promise<Ingestion>;

/**
 * Makes the lookup of one GraphQL request.
 *
 * @param read gives what became of requests, in their order
 */
export function createStatusLookup(read: (requests: Request[]) => Promise<Ingestion[]>): StatusLookup {
  const ingestionOf = batched(read, ({ isrc, requestedAt }) => `${isrc} ${requestedAt.getTime()}`);
  return async ({ isrc, title, createdAt }) => {
    const reason = whyNotRequested(isrc, title);
    if (isrc === null || reason !== null) {
      return { status: 'NOT_REQUESTED', requestedAt: null, scheduledAt: null, reason };
    }
    return await ingestionOf({ isrc, requestedAt: createdAt });
  };
}

/** Needs nobody to be asked. `statusCase` decides in the same way. */
function whyNotRequested(isrc: string | null, title: string): string | null {
  if (isrc === null || !isIsrc(isrc)) {
    const reading = readIsrc(isrc);
    return 'problem' in reading ? reading.problem : 'invalid_isrc';
  }
  return trackIngestionSchema.shape.title.safeParse(title).success ? null : 'invalid_event';
}

/** What became of requests, in one statement, which is the same for one and for thousands. */
export async function readIngestions({ drizzle }: Database, requests: Request[]): Promise<Ingestion[]> {
  const isrcs = requests.map(({ isrc }) => isrc);
  const moments = requests.map(({ requestedAt }) => requestedAt.toISOString());
  const status = statusCase({
    isrc: sql`recording.isrc`,
    title: sql`'requested'`,
    requestedAt: sql`recording.requested_at::timestamptz`,
  });
  const rows = await drizzle.execute<{
    status: IngestionStatus;
    scheduledMs: number | null;
    reason: string | null;
  }>(sql`
    SELECT status,
      CASE status WHEN 'SCHEDULED' THEN (extract(epoch FROM sent_at) * 1000)::float8 END AS "scheduledMs",
      CASE status WHEN 'INDEXED' THEN 'already_indexed' WHEN 'FAILED' THEN dead_reason END AS reason
    FROM (
      SELECT recording.place, ${status} AS status, ledger.sent_at, ledger.dead_reason
      FROM unnest(${sql.param(isrcs)}::text[], ${sql.param(moments)}::text[])
        WITH ORDINALITY AS recording (isrc, requested_at, place)
      ${ledgerJoins(sql`recording.isrc`)}
      -- Each status is decided once, and not for each column.
      OFFSET 0
    ) AS known
    ORDER BY place`);
  return rows.map(({ status, scheduledMs, reason }, place) => ({
    status,
    requestedAt: requests[place]?.requestedAt ?? null,
    scheduledAt: scheduledMs === null ? null : new Date(scheduledMs),
    reason,
  }));
}
