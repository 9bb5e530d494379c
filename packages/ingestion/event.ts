import { z } from 'zod';
import { isIsrc } from './isrc.ts';

/** The name of the one event that asks for one recording to be put into the index. */
export const ingestionRequested = 'track/ingestion.requested';

/**
 * The data of the event (rule R3). Only a blank title makes a recording unfit: it can be found by nothing then.
 * TIDAL lacks an artist or an album now and then, and such a recording is still not lost.
 */
export const trackIngestionSchema = z.object({
  isrc: z.string().refine(isIsrc, 'must be 12 characters of A-Z and 0-9'),
  title: z.string().trim().min(1, 'must not be empty'),
  artist: z.string(),
  album: z.string(),
  artworkUrl: z.string().min(1).optional(),
  priority: z.number().int().min(-600).max(600),
  force: z.boolean(),
});

export type TrackIngestion = z.infer<typeof trackIngestionSchema>;

/** One Inngest event, ready to send. */
export type IngestionEvent = {
  id: string;
  name: typeof ingestionRequested;
  /** When it was asked for, in ms since 1970. A moment in the future would delay the run. */
  ts: number;
  data: TrackIngestion;
};

/**
 * The event's id (rule R6). Inngest starts no second run for an id that it has seen within 24 h, so a
 * repeated send is harmless; a rising generation is what makes a renewed request a new run.
 */
export function eventId(isrc: string, generation: number): string {
  return `track-ingestion:${isrc}:${generation}`;
}

/** Says in one line why the data makes no valid event, or null when it does. */
export function eventProblem(data: unknown): string | null {
  const result = trackIngestionSchema.safeParse(data);
  if (result.success) return null;
  return result.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`).join('; ');
}
