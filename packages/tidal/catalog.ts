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
  /** Whether TIDAL could not be asked for the ISRC, so that null is not its answer. */
  isrcOwed: boolean;
};

/** An album's own metadata, without its tracks. */
export type CatalogAlbum = {
  tidalId: string;
  title: string;
  artistName: string;
  coverArtUrl: string | null;
  /** As TIDAL gives it: `2017-06-30`, sometimes a year alone. */
  releaseDate: string | null;
  /** Tracks and videos of the whole album; the region may offer fewer. Null where TIDAL does not say. */
  numberOfItems: number | null;
};

/** What an album's listing says of one track. */
export type CatalogAlbumTrack = Pick<
  CatalogTrack,
  'tidalId' | 'title' | 'artistName' | 'duration' | 'explicit' | 'isrc'
>;

/** What could be read of an album's listing. */
export type AlbumListing = {
  /** In the order of volume and track number. */
  tracks: (CatalogAlbumTrack & {
    /** 1 to n over all volumes; a track that is still owed keeps its place. */
    position: number;
  })[];
  /** What part is missing, and why; null when nothing is. */
  problem: string | null;
  /** What TIDAL could not be asked for; null when it has said all that it has. */
  owed: OwedListing | null;
};

/**
 * How far an album's listing was read, and what TIDAL has still to be asked for: plain data, to be stored as JSON and
 * gone on from, by `continueAlbumListing`.
 */
export type OwedListing = {
  /** The parameters of the next page, none for the first; null when all pages are read. */
  nextPage: Record<string, string> | null;
  /** The parameters of the pages that were read already. */
  pagesRead: string[];
  /** The album's `numberOfItems`. */
  expectedItems: number | null;
  /** Where each track stands that the pages named, in the order of naming. */
  places: { id: string; volume: number; number: number }[];
  /** Items that are no tracks. */
  videos: string[];
  /** Tracks to be asked for by id: they were named without their data, or without their ISRC. */
  trackIds: string[];
};

/** What one more question to TIDAL has brought. */
export type ListingPart = {
  /** Tracks that were not known before. */
  tracks: CatalogAlbumTrack[];
  /** ISRCs of tracks that were listed without, by TIDAL id. */
  isrcs: Map<string, string>;
  /** Tracks that were asked for by id, and of which TIDAL says nothing that can be read. */
  unreadable: string[];
  /** What is still owed: with nothing to be asked for, the listing is complete. */
  owed: OwedListing;
  /** What pages are missing for good, and why. */
  problem: string | null;
};
