import {
  eventId,
  type IngestionEvent,
  ingestionRequested,
  type TrackIngestion,
} from '@segue/ingestion/event.ts';
import type { OpenRow } from '@segue/outbox/row.ts';

/** The data of a request's event (rule R3). */
export function eventData(row: OpenRow): TrackIngestion {
  return {
    isrc: row.isrc,
    title: row.title,
    artist: row.artist,
    album: row.album,
    ...(row.artworkUrl ? { artworkUrl: row.artworkUrl } : {}),
    priority: row.priority,
    force: row.force,
  };
}

/**
 * The event of a request. The same request always makes the same event, to the byte, so that a repeated send carries
 * nothing new under a known id. `ts` is the moment of the request on the database's clock: left to the SDK it would be
 * this machine's, and one that is an hour fast would delay every run by an hour.
 */
export function eventOf(row: OpenRow, generation: number): IngestionEvent {
  return {
    id: eventId(row.isrc, generation),
    name: ingestionRequested,
    ts: row.requestedMs,
    data: eventData(row),
  };
}

/**
 * An upper bound of an event's bytes, without writing it: JSON takes at most 6 bytes for a byte of UTF-8 (`\u0000`), and
 * the rest of an event is under 512.
 */
export function sizeBound({ bytes }: OpenRow): number {
  return 512 + 6 * bytes;
}

/** An event's bytes. */
export function sizeOf(event: IngestionEvent): number {
  return Buffer.byteLength(JSON.stringify(event));
}
