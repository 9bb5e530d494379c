import type { AlbumListing, CatalogAlbum, CatalogTrack, OwedListing } from '@segue/tidal/catalog.ts';
import type { Catalog } from '../library/library.ts';

let made = 0;

/** Ids and ISRCs that nothing else in the test's process has. */
export const newTidalId = () => String(10_000_000 + ++made);
export const newIsrc = () => `XXTST${String(++made).padStart(7, '0')}`;

export function catalogTrack(given: Partial<CatalogTrack> = {}): CatalogTrack {
  return {
    tidalId: newTidalId(),
    title: 'So What',
    artistName: 'Miles Davis',
    albumName: 'Kind of Blue',
    duration: 562,
    coverArtUrl: 'https://resources.tidal.com/images/cover/1280x1280.jpg',
    explicit: false,
    isrc: newIsrc(),
    isrcOwed: false,
    ...given,
  };
}

export function catalogAlbum(given: Partial<CatalogAlbum> = {}): CatalogAlbum {
  return {
    tidalId: newTidalId(),
    title: 'Kind of Blue',
    artistName: 'Miles Davis',
    coverArtUrl: 'https://resources.tidal.com/images/cover/1280x1280.jpg',
    releaseDate: '1959-08-17',
    numberOfItems: 0,
    ...given,
  };
}

type ListedTrack = AlbumListing['tracks'][number];

/** A listing of as many tracks as there are descriptions. */
export function catalogListing(...given: Partial<ListedTrack>[]): ListedTrack[] {
  return given.map((track, index) => ({
    position: index + 1,
    tidalId: newTidalId(),
    title: `Track ${index + 1}`,
    artistName: 'Miles Davis',
    duration: 300,
    explicit: false,
    isrc: newIsrc(),
    ...track,
  }));
}

export type FakeCatalog = Catalog & {
  /** What was asked for, in order: `track 1766030`. */
  asked: string[];
};

type Holdings = {
  tracks?: CatalogTrack[];
  albums?: { album: CatalogAlbum; listing: ListedTrack[]; problem?: string; owed?: OwedListing }[];
  /** Thrown in place of any answer. */
  failure?: Error;
};

/** A catalogue in memory. */
export function fakeCatalog({ tracks = [], albums = [], failure }: Holdings = {}): FakeCatalog {
  const asked: string[] = [];
  async function ask<Answer>(subject: string, answer: Answer): Promise<Answer> {
    asked.push(subject);
    if (failure) throw failure;
    return answer;
  }
  const held = (id: string) => albums.find(({ album }) => album.tidalId === id);
  const getTrack = (id: string) => ask(`track ${id}`, tracks.find(({ tidalId }) => tidalId === id) ?? null);
  return {
    asked,
    getTrack,
    getTracks: ids => ids.map(getTrack),
    getAlbum: id => ask(`album ${id}`, held(id)?.album ?? null),
    getAlbumListing: id =>
      ask(`listing ${id}`, {
        tracks: held(id)?.listing ?? [],
        problem: held(id)?.problem ?? null,
        owed: held(id)?.owed ?? null,
      }),
    continueAlbumListing: (id, owed) =>
      ask(`more of ${id}`, { tracks: [], isrcs: new Map(), unreadable: [], owed, problem: null }),
    batchFetchTrackIsrcs: ids => ask(`ISRCs of ${ids.join()}`, { isrcs: new Map(), failures: new Map() }),
  };
}
