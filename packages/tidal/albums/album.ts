import { z } from 'zod';
import type { CatalogAlbum } from '../catalog.ts';
import { primaryArtistName } from '../document/artistName.ts';
import { coverArtUrl } from '../document/coverArt.ts';
import { includedSchema, readShape, toMany } from '../document/document.ts';
import { fullTitle, optionalText, text } from '../document/text.ts';
import { notFound, type TidalApi } from '../http/api.ts';

const documentSchema = z.object({
  data: z.object({
    id: z.string(),
    attributes: z.object({
      title: text,
      version: optionalText,
      releaseDate: optionalText,
      numberOfItems: z.int().nonnegative(),
    }),
    relationships: z.object({ artists: toMany, coverArt: toMany }).catch({ artists: [], coverArt: [] }),
  }),
  included: includedSchema,
});

/**
 * Asks for one album's own metadata.
 *
 * @param deadline on the clock, in ms
 * @returns null when TIDAL does not know it, or not in that country
 * @throws TidalApiError
 */
export async function getAlbum(
  api: TidalApi,
  tidalId: string,
  countryCode: string,
  deadline: number,
): Promise<CatalogAlbum | null> {
  const subject = `album ${tidalId}`;
  const body = await api.find(subject, deadline, (client, init) =>
    client.GET('/albums/{id}', {
      params: { path: { id: tidalId }, query: { countryCode, include: 'artists,coverArt' } },
      ...init,
    }),
  );
  if (body === notFound) return null;

  const { data, included } = readShape(documentSchema, body, subject);
  return {
    tidalId: data.id,
    title: fullTitle(data.attributes),
    artistName: primaryArtistName(included, data.relationships.artists),
    coverArtUrl: coverArtUrl(included, data.relationships.coverArt),
    releaseDate: data.attributes.releaseDate,
    numberOfItems: data.attributes.numberOfItems,
  };
}
