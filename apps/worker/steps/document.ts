import { type TrackIngestion, trackIngestionSchema } from '@segue/ingestion/event.ts';
import { type Isrc, normaliseIsrc } from '@segue/ingestion/isrc.ts';
import type { TrackDocument } from '@segue/track-index/document.ts';
import { NonRetriableError } from 'inngest';

/**
 * Reads the event's data. Producers other than the relay may leave `priority` and `force` out, and spell the ISRC as
 * they like.
 *
 * @throws NonRetriableError saying what is wrong with it: it would be wrong at every attempt
 */
export function readRecording(data: unknown): TrackIngestion & { isrc: Isrc } {
  const given = { priority: 0, force: false, ...(data as Record<string, unknown> | null) } as Record<
    string,
    unknown
  >;
  if (typeof given.isrc === 'string') given.isrc = normaliseIsrc(given.isrc);
  const result = trackIngestionSchema.safeParse(given);
  if (result.success) return result.data as TrackIngestion & { isrc: Isrc };
  const problems = result.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`);
  throw new NonRetriableError(`the event makes no document: ${problems.join('; ')}`);
}

/**
 * Builds the document of a recording from what the event says. This is the place for lyrics, an interpretation, a
 * short description and audio features: see docs/worker.md.
 */
export function buildDocument({
  isrc,
  title,
  artist,
  album,
  artworkUrl,
}: TrackIngestion & { isrc: Isrc }): TrackDocument {
  return {
    isrc,
    title,
    artist,
    album,
    artworkUrl: artworkUrl ?? null,
    lyrics: null,
    interpretation: null,
    short_description: null,
  };
}
