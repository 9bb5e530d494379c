import { z } from 'zod';
import { type Included, idSchema, includedSchema, readableListOf, readShape } from '../document/document.ts';
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

/** Where the next page is: an address, or as JSON:API also has it an object with one; or a bare cursor. */
const linksSchema = z
  .object({
    next: z
      .union([z.string(), z.object({ href: z.string() }).transform(({ href }) => href)])
      .nullish()
      .catch(null),
    meta: z
      .object({ nextCursor: z.string().nullish().catch(null) })
      .nullish()
      .catch(null),
  })
  .nullish()
  .catch(null);

const pageSchema = z.object({
  data: z.array(z.unknown()).pipe(readableListOf(itemSchema)),
  links: linksSchema,
  meta: z
    .object({ nextCursor: z.string().nullish().catch(null) })
    .nullish()
    .catch(null),
  included: includedSchema,
});

export type ListingPage = {
  items: z.infer<typeof itemSchema>[];
  included: Included;
  /** The parameters of the next page; null after the last. */
  next: Record<string, string> | null;
};

export type PageQuestion = {
  albumId: string;
  countryCode: string;
  /** The parameters of the page, none for the first. */
  page: Record<string, string>;
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
  const { data, links, meta, included } = readShape(pageSchema, body, subject);
  return { items: data, included, next: nextPage(links?.next, links?.meta?.nextCursor ?? meta?.nextCursor) };
}

/**
 * The address of a next page is not followed, only its parameters are: it omits `/v2`, and one that named another host
 * would be sent the token.
 */
function nextPage(
  address: string | null | undefined,
  cursor: string | null | undefined,
): Record<string, string> | null {
  if (address) return Object.fromEntries(new URLSearchParams(address.split('?')[1]));
  return cursor ? { 'page[cursor]': cursor } : null;
}
