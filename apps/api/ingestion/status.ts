import { setImmediate as nextTurn } from 'node:timers/promises';
import { ingestionLedger, ingestionOutbox } from '@segue/database/schema.ts';
import { trackIngestionSchema } from '@segue/ingestion/event.ts';
import { type Isrc, readIsrc } from '@segue/ingestion/isrc.ts';
import { eq, sql } from 'drizzle-orm';
import type { Database } from '../database.ts';

/** What became of a recording in the library, as the GraphQL type `Ingestion` shows it. */
export type Ingestion = {
  status: 'NOT_REQUESTED' | 'PENDING' | 'SCHEDULED' | 'INDEXED' | 'FAILED';
  requestedAt: Date | null;
  scheduledAt: Date | null;
  reason: string | null;
};

/** A recording in the library: what of it decides whether it was requested, and when that was. */
export type RequestedRecording = { isrc: string | null; title: string; createdAt: Date };

/** What the ledger knows of a recording, with the request that took it last. */
export type LedgerEntry = {
  sentAt: Date | null;
  indexedAt: Date | null;
  deadReason: string | null;
  /** Null when the request is older than the outbox remembers. */
  requestStatus: 'pending' | 'in_flight' | 'scheduled' | 'skipped' | 'dead' | null;
  settledAt: Date | null;
};

/** Gives the status of one recording. Those asked for in the same turn are looked up together. */
export type StatusLookup = (recording: RequestedRecording) => Promise<Ingestion>;

/**
 * Makes the lookup of one GraphQL request. All recordings of a list, alone or on albums, are resolved in the
 * same turn of the event loop, and so asked for in one query, however long the list.
 *
 * @param read gives what the ledger knows of recordings, by ISRC
 */
export function createStatusLookup(read: (isrcs: Isrc[]) => Promise<Map<string, LedgerEntry>>): StatusLookup {
  let batch: { isrcs: Set<Isrc>; entries: Promise<Map<string, LedgerEntry>> } | null = null;

  function openBatch() {
    const isrcs = new Set<Isrc>();
    const entries = nextTurn().then(() => {
      batch = null;
      return read([...isrcs]);
    });
    return { isrcs, entries };
  }

  return async recording => {
    const reading = readIsrc(recording.isrc);
    if ('problem' in reading) return notRequested(reading.problem);
    if (!trackIngestionSchema.shape.title.safeParse(recording.title).success) {
      return notRequested('invalid_event');
    }
    batch ??= openBatch();
    const { isrcs, entries } = batch;
    isrcs.add(reading.isrc);
    return statusOf(recording.createdAt, (await entries).get(reading.isrc));
  };
}

function notRequested(reason: string): Ingestion {
  return { status: 'NOT_REQUESTED', requestedAt: null, scheduledAt: null, reason };
}

/** Reads the ledger's answer for a recording that was requested when its item was added. */
export function statusOf(requestedAt: Date, entry: LedgerEntry | undefined): Ingestion {
  const pending: Ingestion = { status: 'PENDING', requestedAt, scheduledAt: null, reason: null };
  if (entry === undefined || entry.requestStatus === 'pending' || entry.requestStatus === 'in_flight') {
    return pending;
  }
  const { sentAt, indexedAt, deadReason, settledAt } = entry;
  if (deadReason !== null) {
    // A request that was made after another died is no part of that death: its turn is still to come.
    const requestedSince = settledAt !== null && requestedAt > settledAt;
    return requestedSince ? pending : { ...pending, status: 'FAILED', reason: deadReason };
  }
  if (indexedAt !== null && (sentAt === null || indexedAt >= sentAt)) {
    return { ...pending, status: 'INDEXED', reason: 'already_indexed' };
  }
  return sentAt === null ? pending : { ...pending, status: 'SCHEDULED', scheduledAt: sentAt };
}

/** The ISRCs travel as one array, so that the statement is the same for one recording and for thousands. */
export async function readLedger({ drizzle }: Database, isrcs: Isrc[]): Promise<Map<string, LedgerEntry>> {
  const entries = await drizzle
    .select({
      isrc: ingestionLedger.isrc,
      sentAt: ingestionLedger.sentAt,
      indexedAt: ingestionLedger.indexedAt,
      deadReason: ingestionLedger.deadReason,
      requestStatus: ingestionOutbox.status,
      settledAt: ingestionOutbox.settledAt,
    })
    .from(ingestionLedger)
    .leftJoin(ingestionOutbox, eq(ingestionOutbox.id, ingestionLedger.outboxId))
    .where(sql`${ingestionLedger.isrc} = ANY(${sql.param(isrcs)}::text[])`);
  return new Map(entries.map(entry => [entry.isrc, entry]));
}
