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

/** The relay that owns the recording's slot now, and works on what is open of it. */
export type RecordingHolder = {
  host: string;
  /** When it took the slot; null where an older version has not said. */
  takenAt: Date | null;
  /** Whether another relay may take the slot: the owner has not renewed its lease. */
  leaseEnded: boolean;
};

/** That the recording was lost after it was sent, and is sent anew until it is in the index (rule R12). */
export type RecordingLost = {
  /** How often it was requested anew since it was last seen in the index. */
  times: number;
  /** ISO text, with microseconds: the moment of the last such request. */
  lastAt: string;
};

/** The whole story of a recording, as the view `ingestion_recording` tells it, and who holds it now. */
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
  /** Null: no relay owns its slot. */
  holder: RecordingHolder | null;
  /** Null: it is not sent anew now. */
  lost: RecordingLost | null;
  /** The oldest first. */
  requests: RecordingRequest[];
  actions: RecordingAction[];
};

/** @returns null for a recording of which nothing is known, or a text that is no ISRC */
export async function readRecording(db: Queryable, isrc: string): Promise<RecordingStory | null> {
  const reading = readIsrc(isrc);
  if (!('isrc' in reading)) return null;
  const { isrc: known } = reading;
  const [stories, holders, losses] = await Promise.all([
    db<Omit<RecordingStory, 'holder' | 'lost'>[]>`
      SELECT isrc, title, artist, album, state, generation, sent_at AS "sentAt", indexed_at AS "indexedAt",
        dead_reason AS "deadReason", last_event_id AS "lastEventId", slot, held_by_host AS "heldByHost", requests, actions
      FROM ingestion_recording
      -- The slot leads to a thirty-second of the open requests; without it, all of them are looked through.
      WHERE isrc = ${known} AND slot = recording_slot(${known})`,
    db<RecordingHolder[]>`
      SELECT relay.host, slot.taken_at AS "takenAt", slot.lease_end <= now() AS "leaseEnded"
      FROM relay_slots AS slot JOIN relays AS relay ON relay.id = slot.owner
      WHERE slot.slot = recording_slot(${known})`,
    db<RecordingLost[]>`
      SELECT times, to_jsonb(last_at) #>> '{}' AS "lastAt" FROM ingestion_reconciled WHERE isrc = ${known}`,
  ]);
  const [story] = stories;
  return story === undefined ? null : { ...story, holder: holders[0] ?? null, lost: losses[0] ?? null };
}
