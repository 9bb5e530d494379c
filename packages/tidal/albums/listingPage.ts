import { z } from 'zod';
import { type Included, idSchema, includedSchema, readableListOf, readShape } from '../document/document.ts';
import { type NextPage, type PageParameters, paging, readNextPage } from '../document/nextPage.ts';
import { notFound, type TidalApi } from '../http/api.ts';
import type { Asking } from '../http/request.ts';

const include = 'items.artists';

/** An item without numbers keeps its place in the listing, behind those of the first volume. */
const unnumbered = { volumeNumber: 1, trackNumber: Number.MAX_SAFE_INTEGER };

const numberSchema = z.union([
  z.number(),
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number),
]);

const itemSchema = z.object({
  id: idSchema,
  type: z.string(),
  meta: z
    .object({
      volumeNumber: numberSchema.catch(unnumbered.volumeNumber),
      trackNumber: numberSchema.catch(unnumbered.trackNumber),
    })
    .catch(unnumbered),
});

const pageSchema = z.object({
  data: z.array(z.unknown()).pipe(readableListOf(itemSchema)),
  ...paging,
  included: includedSchema,
});

export type ListingPage = {
  items: z.infer<typeof itemSchema>[];
  included: Included;
  next: NextPage;
};

export type PageQuestion = {
  albumId: string;
  countryCode: string;
  /** The parameters of the page, none for the first. */
  page: PageParameters;
  /** Counted from 1, for messages. */
  number: number;
  /** Whether a 404 says that TIDAL has no such listing, and is no failure. */
  mayBeGone: boolean;
};

/**
 * Asks for one page of an album's items.
 *
 * @returns null when TIDAL has no such listing, or not in the country
 * @throws TidalApiError
 */
export async function fetchListingPage(
  api: TidalApi,
  { albumId, countryCode, page, number, mayBeGone }: PageQuestion,
  asking: Asking,
): Promise<ListingPage | null> {
  const subject = `page ${number} of the items of album ${albumId}`;
  const body = await api[mayBeGone ? 'find' : 'read'](subject, asking, (client, init) =>
    client.GET('/albums/{id}/relationships/items', {
      params: { path: { id: albumId }, query: { ...page, countryCode, include } },
      ...init,
    }),
  );
  if (body === notFound) return null;
  const { data, included, ...rest } = readShape(pageSchema, body, subject);
  return { items: data, included, next: readNextPage(rest) };
}
