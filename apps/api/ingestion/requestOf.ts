import type { CatalogAlbum, CatalogAlbumTrack, CatalogTrack } from '@segue/tidal/catalog.ts';
import type { TrackIngestionRequest } from './ingestionScheduler.ts';

/** What is requested for a track, from TIDAL's catalogue or from the library: both use the same names. */
export function requestOf(
  track: Pick<CatalogTrack, 'isrc' | 'title' | 'artistName' | 'albumName' | 'coverArtUrl'>,
): TrackIngestionRequest {
  return {
    isrc: track.isrc,
    title: track.title,
    artist: track.artistName,
    album: track.albumName,
    artworkUrl: track.coverArtUrl,
  };
}

/** The same for a track of an album's listing, which has the album's name and cover. */
export function requestOfListed(
  track: CatalogAlbumTrack,
  album: Pick<CatalogAlbum, 'title' | 'coverArtUrl'>,
): TrackIngestionRequest {
  return requestOf({ ...track, albumName: album.title, coverArtUrl: album.coverArtUrl });
}
