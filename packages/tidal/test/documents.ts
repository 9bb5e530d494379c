/** Small JSON:API documents with what TIDAL always sends; a test says what matters to it. */

type Attributes = Record<string, unknown>;
type Reference = { id: string; type: string };

export function artist(id: string, name: string) {
  return { id, type: 'artists', attributes: { name } };
}

export function toMany(type: string, ...ids: string[]): { data: Reference[] } {
  return { data: ids.map(id => ({ id, type })) };
}

export function track(id: string, attributes: Attributes = {}, relationships: Attributes = {}) {
  return {
    id,
    type: 'tracks',
    attributes: {
      title: `Track ${id}`,
      isrc: `USRC1${id.padStart(7, '0')}`,
      duration: 'PT3M',
      ...attributes,
    },
    relationships: { artists: toMany('artists', 'a1'), ...relationships },
  };
}

export function album(id: string, attributes: Attributes = {}, relationships: Attributes = {}) {
  return {
    id,
    type: 'albums',
    attributes: { title: `Album ${id}`, numberOfItems: 2, releaseDate: '2017-06-30', ...attributes },
    relationships: {
      artists: toMany('artists', 'a1'),
      coverArt: toMany('artworks', 'c1'),
      ...relationships,
    },
  };
}

export function artwork(id: string, widths: number[], attributes: Attributes = {}) {
  const files = widths.map(width => ({
    href: `https://pictures/${id}/${width}.jpg`,
    meta: { width, height: width },
  }));
  return { id, type: 'artworks', attributes: { mediaType: 'IMAGE', files, ...attributes } };
}

export function document(data: unknown, included: unknown[] = []) {
  return { data, included, links: { self: '/' } };
}

/** One page of an album's items, all of one volume: a pair is an id and its track number. */
export function itemsPage(
  items: { id: string; type?: string; volume?: number; number?: number }[],
  { included = [], next }: { included?: unknown[]; next?: string } = {},
) {
  return {
    data: items.map(({ id, type = 'tracks', volume = 1, number = Number(id) }) => ({
      id,
      type,
      meta: { volumeNumber: volume, trackNumber: number },
    })),
    included: [artist('a1', 'Abba'), ...included],
    links: { self: '/', ...(next === undefined ? {} : { next }) },
  };
}
