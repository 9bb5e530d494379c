import { isrcOf } from '../recordings.ts';

/** Ids from here on are known, and each has an ISRC of its own. */
export const firstTidalId = 100_000_000;

/**
 * TIDAL's document for a track, with its artist, its album and the album's cover: what the API asks for when a
 * track is added. Shape as in TIDAL's OpenAPI 1.10, `Tracks_Single_Resource_Data_Document`.
 *
 * @param id digits
 */
export function tidalTrack(id: string): string {
  return template.replaceAll('{id}', id).replace('{isrc}', isrcOf(Number(id) - firstTidalId));
}

const reference = (type: string, id: string) => ({ data: [{ id, type }] });

const template = JSON.stringify({
  data: {
    id: '{id}',
    type: 'tracks',
    attributes: {
      title: 'Song {id} of the Long Road',
      version: 'Remastered 1999',
      isrc: '{isrc}',
      duration: 'PT2M58S',
      explicit: false,
      popularity: 0.42,
      mediaTags: ['LOSSLESS', 'HIRES_LOSSLESS'],
      accessType: 'PUBLIC',
      availability: ['STREAM'],
      externalLinks: [{ href: 'https://tidal.com/browse/track/{id}', meta: { type: 'TIDAL_SHARING' } }],
    },
    relationships: { artists: reference('artists', '7804'), albums: reference('albums', '75413015') },
  },
  links: { self: '/tracks/{id}?include=artists%2Calbums.coverArt&countryCode=US' },
  included: [
    { id: '7804', type: 'artists', attributes: { name: 'The Wanderers', popularity: 0.61 } },
    {
      id: '75413015',
      type: 'albums',
      attributes: { title: 'Collected Recordings, Volume 7', albumType: 'ALBUM', numberOfItems: 24 },
      relationships: { coverArt: reference('artworks', 'a468bee88def') },
    },
    {
      id: 'a468bee88def',
      type: 'artworks',
      attributes: {
        mediaType: 'IMAGE',
        files: [1280, 1080, 750, 640, 320, 160, 80].map(size => ({
          href: `https://resources.tidal.com/images/0f6b1234/1c2d/4e5f/8a9b/${size}x${size}.jpg`,
          meta: { width: size, height: size },
        })),
      },
    },
  ],
});

/** The answer of TIDAL's token endpoint. */
export const tidalToken = JSON.stringify({ access_token: 'bench', token_type: 'Bearer', expires_in: 86_400 });
