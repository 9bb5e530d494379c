/** A track as TIDAL's catalogue knows it. */
export type CatalogTrack = {
  tidalId: string;
  /** With TIDAL's version behind it, `Title (version)`. Can be empty: TIDAL's text is passed on as it is. */
  title: string;
  /** The primary artist, 'Unknown Artist' where TIDAL names none. */
  artistName: string;
  /** Empty where TIDAL names no album. */
  albumName: string;
  /** Whole seconds, 0 where TIDAL gives none. */
  duration: number;
  coverArtUrl: string | null;
  explicit: boolean;
  /** As TIDAL gave it, in whatever spelling. */
  isrc: string | null;
};

/** An album's own metadata, without its tracks. */
export type CatalogAlbum = {
  tidalId: string;
  title: string;
  artistName: string;
  coverArtUrl: string | null;
  /** As TIDAL gives it: `2017-06-30`, sometimes a year alone. */
  releaseDate: string | null;
  /** Tracks and videos of the whole album; the region may offer fewer. */
  numberOfItems: number;
};

/** One track of an album's listing. */
export type CatalogAlbumTrack = Pick<
  CatalogTrack,
  'tidalId' | 'title' | 'artistName' | 'duration' | 'explicit' | 'isrc'
> & {
  /** 1 to n over all volumes. */
  position: number;
};

/** What could be read of an album's listing. */
export type AlbumListing = {
  /** In the order of volume and track number. */
  tracks: CatalogAlbumTrack[];
  /** What part is missing, and why; null when nothing is. */
  problem: string | null;
};
