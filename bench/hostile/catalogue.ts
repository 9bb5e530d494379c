import type { Album, Catalogue, Recording } from '@segue/stand-ins/tidal/catalogue.ts';

/** Ids of what the catalogue has for each purpose. */
export const tidalIds = {
  /** For the client that adds an item each second. */
  ofClient: (number: number) => String(1_000_000 + number),
  /** Tracks of names and ISRCs as they come (points 17 and 18). */
  odd: ['3001', '3002', '3003', '3004', '3005'],
  /** Ten albums of 120 tracks (point 15), and sixty of twelve. */
  large: Array.from({ length: 10 }, (_, n) => String(1_000 + n)),
  usual: Array.from({ length: 60 }, (_, n) => String(2_000 + n)),
  /** Albums that are answered in other shapes (point 16). */
  odderShapes: ['4001', '4002', '4003'],
};

const artist = { id: '1', name: 'An Artist' };
/** XX, which ISO 3166 leaves to its users, makes codes that no recording has. */
const isrcOf = (number: number) => `XXHOS${String(number).padStart(7, '0')}`;

const odd: Pick<Recording, 'title' | 'version' | 'isrc'>[] = [
  { title: 'Live Forever', version: 'Live', isrc: 'ISRC QZ-ES5-19-00001' },
  { title: 'Remix to Ignition', version: 'Remix', isrc: 'ISRC: QZES51900002' },
  { title: 'So What (Live)', version: 'Live', isrc: '\u200bQZES5\u200b1900003' },
  { title: 'No Code', isrc: 'none' },
  { title: 'A Code That Begins So', isrc: 'ISRC00000001' },
];

/** @param clientTracks that the client adds, each once */
export function hostileCatalogue(clientTracks: number): Catalogue {
  const { albums, tracks } = albumsOf([
    [tidalIds.large, 120],
    [tidalIds.usual, 12],
    [tidalIds.odderShapes, 30],
  ]);
  const singles = [
    ...Array.from({ length: clientTracks }, (_, number) => single(tidalIds.ofClient(number))),
    ...tidalIds.odd.map((id, n) => single(id, odd[n])),
  ];
  return { artists: [artist], albums, tracks: [...singles, ...tracks], videos: [] };
}

function single(id: string, more: Partial<Recording> = {}): Recording {
  return {
    id,
    title: `A Title of a Track as Long as They Come (Remastered) ${id}`,
    seconds: 200,
    artistIds: [artist.id],
    albumIds: ['2000'],
    isrc: isrcOf(Number(id)),
    ...more,
  };
}

/** Albums of so many tracks each. Some tracks are named and not included, and asked for by their ids. */
export function albumsOf(groups: [ids: string[], length: number][]): Catalogue {
  const tracks: Recording[] = [];
  const albums: Album[] = [];
  for (const [ids, length] of groups) {
    for (const id of ids) {
      const items = Array.from({ length }, (_, n) => ({
        type: 'tracks' as const,
        id: `${id}${String(n + 1).padStart(4, '0')}`,
        volumeNumber: 1,
        trackNumber: n + 1,
        ...(n % 7 === 3 && { listedWithout: 'resource' as const }),
      }));
      tracks.push(...items.map(item => single(item.id, { albumIds: [id] })));
      albums.push({
        id,
        title: `Album ${id}`,
        albumType: 'ALBUM',
        barcodeId: id.padStart(12, '0'),
        releaseDate: '2001-02-03',
        copyright: 'A Label',
        cover: '0f6b1c2d/4e5f/8a9b/1c2d/0f6b1c2d4e5f',
        artistIds: [artist.id],
        items,
      });
    }
  }
  return { artists: [artist], albums, tracks, videos: [] };
}
