import type { Album, Artist, Recording } from './catalogue.ts';
import type { ResourceType } from './include.ts';

export type Identifier = { id: string; type: ResourceType; meta?: object };
export type Links = { self: string; next?: string; meta?: { nextCursor: string } };
export type Relationship = { data: Identifier[]; links: Links };
export type Resource = {
  id: string;
  type: ResourceType;
  attributes: Record<string, unknown>;
  relationships?: Record<string, Relationship>;
};

/** A cover comes in these sizes, in pixels, all of them square. */
const coverSizes = [1280, 1080, 750, 640, 320, 160, 80];

export function recordingResource(
  type: 'tracks' | 'videos',
  recording: Recording,
  withIsrc: boolean,
): Resource {
  const { id, title, version, isrc, seconds, explicit = false } = recording;
  const attributes = {
    title,
    version: version ?? null,
    ...(withIsrc && isrc !== undefined && { isrc }),
    duration: isoDuration(seconds),
    explicit,
    popularity: 0.5,
    accessType: 'PUBLIC',
    availability: ['STREAM', 'DJ'],
    mediaTags: ['LOSSLESS'],
    externalLinks: sharingLink(type === 'tracks' ? 'track' : 'video', id),
  };
  return { id, type, attributes };
}

/** @param seconds the sum of its items */
export function albumResource(album: Album, seconds: number): Resource {
  const { id, title, albumType, barcodeId, releaseDate, explicit = false, copyright, items } = album;
  const attributes = {
    title,
    barcodeId,
    numberOfVolumes: Math.max(1, ...items.map(item => item.volumeNumber)),
    numberOfItems: album.numberOfItems ?? items.length,
    duration: isoDuration(seconds),
    explicit,
    releaseDate,
    copyright: { text: copyright },
    popularity: 0.5,
    accessType: 'PUBLIC',
    availability: ['STREAM', 'DJ'],
    mediaTags: ['LOSSLESS'],
    externalLinks: sharingLink('album', id),
    type: albumType,
    albumType,
  };
  return { id, type: 'albums', attributes };
}

export function artistResource({ id, name }: Artist): Resource {
  const attributes = { name, popularity: 0.5, externalLinks: sharingLink('artist', id) };
  return { id, type: 'artists', attributes };
}

/** @param id of the artwork: the folder of its files, without the slashes */
export function artworkResource(id: string, folder: string): Resource {
  const files = coverSizes.map(size => ({
    href: `https://resources.tidal.com/images/${folder}/${size}x${size}.jpg`,
    meta: { width: size, height: size },
  }));
  return { id, type: 'artworks', attributes: { mediaType: 'IMAGE', files } };
}

export function artworkId(folder: string): string {
  return folder.replaceAll('/', '');
}

function sharingLink(kind: string, id: string) {
  return [{ href: `https://tidal.com/browse/${kind}/${id}`, meta: { type: 'TIDAL_SHARING' } }];
}

/** `PT2H16S`, `PT4M12S`, `PT3M`: what is zero is left out. */
export function isoDuration(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = seconds % 60;
  const text = (hours ? `${hours}H` : '') + (minutes ? `${minutes}M` : '') + (rest ? `${rest}S` : '');
  return `PT${text || '0S'}`;
}
