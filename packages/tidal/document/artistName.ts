import { z } from 'zod';
import { firstIncluded, type Included, type Reference } from './document.ts';
import { text } from './text.ts';

const artistSchema = z.object({
  attributes: z.object({ name: text.refine(name => name.trim() !== '') }),
});

/** Stands where TIDAL names no artist. */
export const unknownArtist = 'Unknown Artist';

/**
 * The name of the primary artist, whom TIDAL names first. TIDAL can name an artist and not include them; the
 * next one stands in then.
 */
export function primaryArtistName(included: Included, artists: Reference[]): string {
  return firstIncluded(included, artists, artistSchema)?.attributes.name ?? unknownArtist;
}
