/** An artist; one that a recording names and the catalogue lacks is missing from `included`, as on TIDAL. */
export type Artist = { id: string; name: string };

/** A track or a video. */
export type Recording = {
  id: string;
  title: string;
  version?: string;
  /** Absent where TIDAL has none. */
  isrc?: string;
  seconds: number;
  explicit?: boolean;
  /** The first is the primary artist. */
  artistIds: string[];
  albumIds: string[];
};

export type AlbumItem = {
  type: 'tracks' | 'videos';
  id: string;
  volumeNumber: number;
  trackNumber: number;
  /**
   * What the album's listing withholds of the item, though tracks-by-id has it: its ISRC, or the whole
   * resource (the item is named, and absent from `included`).
   */
  listedWithout?: 'isrc' | 'resource';
};

export type Album = {
  id: string;
  title: string;
  albumType: 'ALBUM' | 'EP' | 'SINGLE';
  barcodeId: string;
  /** `2017-06-30` */
  releaseDate: string;
  explicit?: boolean;
  copyright: string;
  /** The folder of the cover's files: five groups of hex digits, joined by slashes. */
  cover?: string;
  artistIds: string[];
  /** Where the album has more items than the region offers; the number of `items` otherwise. */
  numberOfItems?: number;
  /** What the region offers, in order. */
  items: AlbumItem[];
};

/** Ids are TIDAL's: digits, unique within their kind. */
export type Catalogue = { artists: Artist[]; albums: Album[]; tracks: Recording[]; videos: Recording[] };
