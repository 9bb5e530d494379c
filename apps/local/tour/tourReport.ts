import type { Sql } from '@segue/database/connection.ts';
import { eventId } from '@segue/ingestion/event.ts';
import { table } from '@segue/terminal/table.ts';
import type { IndexedDocument } from '@segue/track-index/document.ts';
import type { LibraryItems, ListedRecording } from './libraryApi.ts';

/** The last request for a recording, by a track or by an album. */
export type Request = {
  isrc: string;
  byAlbum: boolean;
  settled: boolean;
  status: string;
  reason: string | null;
  generation: number | null;
  lastError: string | null;
};

export async function readRequests(sql: Sql, isrcs: string[]): Promise<Request[]> {
  return await sql<Request[]>`
    SELECT DISTINCT ON (isrc, album_batch_id IS NOT NULL)
      isrc, album_batch_id IS NOT NULL AS "byAlbum", settled_at IS NOT NULL AS settled,
      status, reason, generation, last_error AS "lastError"
    FROM ingestion_outbox
    WHERE isrc = ANY(${isrcs})
    ORDER BY isrc, album_batch_id IS NOT NULL, id DESC`;
}

/** Says what came of each recording that was asked for, a line each, in the order of asking. */
export function tourTable({ track, album }: LibraryItems, requests: Request[]): string[] {
  const row = (recording: ListedRecording, byAlbum: boolean) => [
    recording.title,
    recording.isrc ?? '',
    byAlbum ? 'album' : 'track',
    ...outcomeOf(
      recording,
      requests.find(request => request.isrc === recording.isrc && request.byAlbum === byAlbum),
    ),
    recording.ingestion?.status ?? '',
  ];
  return table(
    ['recording', 'ISRC', 'asked by', 'outcome', 'id of the event, or why there is none', 'status'],
    [row(track, false), ...album.trackListing.map(recording => row(recording, true))],
  );
}

/** The document as people read it: field by field, the vectors by their size. */
export function documentLines({ id, payload, vectors }: IndexedDocument): string[] {
  const { dense, sparse } = vectors;
  const fields = [
    ['point id', id],
    ...Object.entries(payload).map(([field, value]) => [field, value === null ? 'null' : String(value)]),
    ['interpretation_embedding', dense ? `${dense.length} numbers` : 'none'],
    ['text_sparse', sparse ? `${sparse.indices.length} words` : 'none'],
  ];
  const width = Math.max(...fields.map(([field = '']) => field.length));
  return fields.map(([field = '', value]) => `${field.padEnd(width)}  ${value}`);
}

function outcomeOf(recording: ListedRecording, request: Request | undefined): [string, string] {
  if (!request) return ['not requested', recording.ingestion?.reason ?? ''];
  const { status, isrc, generation, reason, lastError } = request;
  if (status === 'scheduled') return [status, eventId(isrc, generation ?? 0)];
  if (request.settled) return [status, reason ?? ''];
  return ['waiting', lastError ?? ''];
}
