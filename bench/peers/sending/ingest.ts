import { connect, type Sql } from '@segue/database/connection.ts';
import { eventId, type IngestionEvent, ingestionRequested } from '@segue/ingestion/event.ts';
import { createEventSender } from '@segue/relay/inngest/eventSender.ts';
import { createLogger } from '@segue/telemetry/logger.ts';
import { createTrackIndex } from '@segue/track-index/trackIndex.ts';
import type { Recording } from '../../recordings.ts';

/**
 * What the relay does with a recording, for processes whose queue does none of it. The clients are the relay's own, so
 * that the designs are compared and not the libraries; so are the log's lines.
 */

const { DATABASE_URL = '', SINK_URL = '' } = process.env;
const callTimeoutMs = 5_000;

export type Job = { id: string; recording: Recording };

const index = createTrackIndex({ url: SINK_URL, collection: 'tracks', timeoutMs: callTimeoutMs });
const send = createEventSender();
const logger = createLogger('peer', 'info');
const never = new AbortController().signal;

/** Opens the database, for so many statements at a time. */
export function openDatabase(max: number): Sql {
  return connect({ url: DATABASE_URL, applicationName: 'segue-bench-peer', max });
}

/** What a peer must have to drop duplicates: which job took which recording. */
export async function createLedger(sql: Sql): Promise<void> {
  await sql`CREATE TABLE peer_ledger (isrc text PRIMARY KEY, job text NOT NULL, sent_at timestamptz NOT NULL)`;
}

/**
 * Takes the recordings in the ledger, asks the index about those that nobody had taken, and sends an event for each that
 * it does not have. One statement, one question, one call.
 *
 * @throws Error when Inngest does not take the events; the queue tries the jobs again then
 */
export async function ingest(sql: Sql, jobs: Job[]): Promise<void> {
  const taken = await take(sql, jobs);
  const wanted = await askAndSend(jobs.filter(({ id }) => taken.has(id)).map(({ recording }) => recording));
  const sent = new Set(wanted.map(({ isrc }) => isrc));
  for (const { id, recording } of jobs) {
    const isSent = taken.has(id) && sent.has(recording.isrc);
    const event = isSent ? 'ingestion_scheduled' : 'ingestion_skipped';
    logger.info({ event, isrc: recording.isrc, trackTitle: recording.title }, event);
  }
}

/** Asks the index in one call, and sends what it does not have in another. @returns what was sent */
export async function askAndSend(recordings: Recording[]): Promise<Recording[]> {
  if (recordings.length === 0) return [];
  const exists = await index.checkTracksExist(recordings.map(({ isrc }) => isrc));
  const wanted = recordings.filter(({ isrc }) => !exists.get(isrc));
  if (wanted.length === 0) return [];
  const answer = await send(wanted.map(eventOf), { timeoutMs: callTimeoutMs, signal: never });
  if (answer.kind !== 'accepted') throw new Error(answer.error);
  return wanted;
}

export function logScheduled({ isrc, title: trackTitle }: Recording): void {
  logger.info({ event: 'ingestion_scheduled', isrc, trackTitle }, 'ingestion_scheduled');
}

/** The ids of the jobs that took their recording, now or in an earlier attempt. */
async function take(sql: Sql, jobs: Job[]): Promise<Set<string>> {
  // One of a recording, and in one order, so that no two batches wait for each other.
  const firsts = [...new Map(jobs.toReversed().map(job => [job.recording.isrc, job])).values()].sort(
    (one, other) => (one.recording.isrc < other.recording.isrc ? -1 : 1),
  );
  const rows = await sql<{ job: string }[]>`
    INSERT INTO peer_ledger (isrc, job, sent_at)
    SELECT isrc, job, now() FROM unnest(
      ${firsts.map(({ recording }) => recording.isrc)}::text[], ${firsts.map(({ id }) => id)}::text[]) AS given (isrc, job)
    ON CONFLICT (isrc) DO UPDATE SET job = excluded.job WHERE peer_ledger.job = excluded.job
    RETURNING job`;
  return new Set(rows.map(({ job }) => job));
}

function eventOf({ isrc, title, artist, album, artworkUrl }: Recording): IngestionEvent {
  const data = { isrc, title, artist, album, artworkUrl, priority: 0, force: false };
  return { id: eventId(isrc, 1), name: ingestionRequested, ts: Date.now(), data };
}
