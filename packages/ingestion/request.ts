import type { Isrc } from './isrc.ts';

/** What an outbox row asks for: that one recording be put into the index. */
export type IngestionRequest = {
  isrc: Isrc;
  title: string;
  artist: string;
  album: string;
  artworkUrl?: string;
  /** -600 (last) to 600 (first); Inngest shifts a run in its queue by that many seconds. */
  priority?: number;
  /** Passes the dedupe window and the index check (rule R5). */
  force?: boolean;
};
