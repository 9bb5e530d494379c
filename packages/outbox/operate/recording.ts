import type { Queryable } from '@segue/database/connection.ts';
import { readIsrc } from '@segue/ingestion/isrc.ts';

/** One request for a recording, and what was decided. Moments are ISO texts, with microseconds. */
export type RecordingRequest = {
  id: number;
  requested_at: string;
  status: string;
  reason: string | null;
  decided_at: string | null;
  attempts: number;
  last_error: string | null;
  next_attempt_at: string | null;
  force: boolean;
  priority: number;
  album_batch_id: number | null;
  event_id: string | null;
  request_id: string | null;
};

/** What a person did to a request of the recording. */
export type RecordingAction = {
  id: number;
  at: string;
  actor: string;
  action: string;
  reason: string;
  rows: number;
};

/** The whole story of a recording, as the view `ingestion_recording` tells it. */
export type RecordingStory = {
  isrc: string;
  title: string | null;
  artist: string | null;
  album: string | null;
  state: 'pending' | 'scheduled' | 'indexed' | 'failed' | 'skipped' | 'dead' | 'unknown';
  generation: number | null;
  sentAt: Date | null;
  indexedAt: Date | null;
  deadReason: string | null;
  lastEventId: string | null;
  slot: number;
  heldByHost: string | null;
  /** The oldest first. */
  requests: RecordingRequest[];
  actions: RecordingAction[];
};

/** @returns null for a recording of which nothing is known, or a text that is no ISRC */
export async function readRecording(db: Queryable, isrc: string): Promise<RecordingStory | null> {
  const reading = readIsrc(isrc);
  if (!('isrc' in reading)) return null;
  const [story] = await db<RecordingStory[]>`
    SELECT isrc, title, artist, album, state, generation, sent_at AS "sentAt", indexed_at AS "indexedAt",
      dead_reason AS "deadReason", last_event_id AS "lastEventId", slot, held_by_host AS "heldByHost", requests, actions
    FROM ingestion_recording
    -- The slot leads to a thirty-second of the open requests; without it, all of them are looked through.
    WHERE isrc = ${reading.isrc} AND slot = recording_slot(${reading.isrc})`;
  return story ?? null;
}
