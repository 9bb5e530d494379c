import { z } from 'zod';
import type { CatalogTrack } from '../catalog.ts';
import { primaryArtistName } from '../document/artistName.ts';
import { coverArtUrl } from '../document/coverArt.ts';
import {
  firstIncluded,
  type Included,
  idSchema,
  includedSchema,
  readShape,
  toMany,
} from '../document/document.ts';
import { durationInSeconds } from '../document/duration.ts';
import { fullTitle, optionalText, text } from '../document/text.ts';
import { notFound, type TidalApi } from '../http/api.ts';
import type { Asking } from '../http/request.ts';

/** What must come along with a track for {@link readTrack}. */
export const trackInclude = 'artists,albums.coverArt';

/** A track resource; of its fields only id and title must be there. */
export const trackSchema = z.object({
  id: idSchema,
  attributes: z.object({
    title: text,
    version: optionalText,
    isrc: optionalText,
    duration: z.string().catch(''),
    explicit: z.boolean().catch(false),
  }),
  relationships: z.object({ artists: toMany, albums: toMany }).catch({ artists: [], albums: [] }),
});

const albumOfTrackSchema = z.object({
  attributes: z.object({ title: text, version: optionalText }),
  relationships: z.object({ coverArt: toMany }).catch({ coverArt: [] }),
});

const documentSchema = z.object({ data: trackSchema, included: includedSchema });

/**
 * Asks for one track.
 *
 * @returns null when TIDAL does not know it, or not in that country
 * @throws TidalApiError
 */
export async function getTrack(
  api: TidalApi,
  tidalId: string,
  countryCode: string,
  asking: Asking,
): Promise<CatalogTrack | null> {
  const subject = `track ${tidalId}`;
  const body = await api.find(subject, asking, (client, init) =>
    client.GET('/tracks/{id}', {
      params: { path: { id: tidalId }, query: { countryCode, include: trackInclude } },
      ...init,
    }),
  );
  if (body === notFound) return null;

  const { data, included } = readShape(documentSchema, body, subject);
  return readTrack(data, included);
}

/** A track with its album, as far as that came along. */
export function readTrack(data: z.infer<typeof trackSchema>, included: Included): CatalogTrack {
  const album = firstIncluded(included, data.relationships.albums, albumOfTrackSchema);
  return {
    ...describeTrack(data, included),
    isrcOwed: false,
    albumName: album === null ? '' : fullTitle(album.attributes),
    coverArtUrl: album === null ? null : coverArtUrl(included, album.relationships.coverArt),
  };
}

/** What a track says of itself, wherever it was found. */
export function describeTrack(
  { id, attributes, relationships }: z.infer<typeof trackSchema>,
  included: Included,
) {
  return {
    tidalId: id,
    title: fullTitle(attributes),
    artistName: primaryArtistName(included, relationships.artists),
    duration: durationInSeconds(attributes.duration),
    explicit: attributes.explicit,
    isrc: attributes.isrc,
  };
}
