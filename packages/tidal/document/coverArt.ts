import { z } from 'zod';
import { firstIncluded, type Included, type Reference, readableListOf } from './document.ts';
import { text } from './text.ts';

/** Pixels. TIDAL's list runs from 1280 down to 80; anything larger would be an original. */
const maxWidth = 1280;

const fileSchema = z.object({
  href: text.refine(href => href !== ''),
  meta: z.object({ width: z.number().max(maxWidth) }),
});

/** A cover can be animated, with a still beside it: a video is no picture to show. */
const artworkSchema = z.object({
  attributes: z.object({
    mediaType: z
      .unknown()
      .optional()
      .refine(type => type !== 'VIDEO'),
    files: readableListOf(fileSchema).refine(files => files.length > 0),
  }),
});

/** The address of the largest picture up to 1280 pixels wide; null when there is none. */
export function coverArtUrl(included: Included, coverArt: Reference[]): string | null {
  const artwork = firstIncluded(included, coverArt, artworkSchema);
  const [largest] = artwork?.attributes.files.toSorted((a, b) => b.meta.width - a.meta.width) ?? [];
  return largest?.href ?? null;
}
