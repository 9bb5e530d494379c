import { z } from 'zod';
import type { CatalogAlbum } from '../catalog.ts';
import { primaryArtistName } from '../document/artistName.ts';
import { coverArtUrl } from '../document/coverArt.ts';
import { countSchema, idSchema, includedSchema, readShape, toMany } from '../document/document.ts';
import { fullTitle, optionalText, text } from '../document/text.ts';
import { notFound, type TidalApi } from '../http/api.ts';
import type { Asking } from '../http/request.ts';

const documentSchema = z.object({
  data: z.object({
    id: idSchema,
    attributes: z.object({
      title: text,
      version: optionalText,
      releaseDate: optionalText,
      numberOfItems: countSchema,
    }),
    relationships: z.object({ artists: toMany, coverArt: toMany }).catch({ artists: [], coverArt: [] }),
  }),
  included: includedSchema,
});

/**
 * Asks for one album's own metadata.
 *
 * @returns null when TIDAL does not know it, or not in that country
 * @throws TidalApiError
 */
export async function getAlbum(
  api: TidalApi,
  tidalId: string,
  countryCode: string,
  asking: Asking,
): Promise<CatalogAlbum | null> {
  const subject = `album ${tidalId}`;
  const body = await api.find(subject, asking, (client, init) =>
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
