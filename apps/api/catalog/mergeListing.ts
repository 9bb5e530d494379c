import type { ListedTrack } from '@segue/database/schema/tables.ts';
import { inOrder } from '@segue/tidal/albums/listingOrder.ts';
import type { CatalogAlbumTrack, ListingPart } from '@segue/tidal/catalog.ts';
import { unknownArtist } from '@segue/tidal/document/artistName.ts';
import { isrcToStore } from './isrcToStore.ts';

/** An album's listing with what has come now. */
export type MergedListing = {
  listing: ListedTrack[];
  /** Tracks that are listed only now, or have their ISRC only now: those to be requested. */
  late: CatalogAlbumTrack[];
  owed: ListingPart['owed'];
};

/**
 * Puts what TIDAL has answered into a listing that was stored before. Tracks stand in the album's order; one that is still
 * owed keeps its position free. What the library has and TIDAL no longer names stays, behind the rest.
 *
 * @param albumArtist stands in for an artist whom TIDAL does not name with the track
 */
export function mergeListing(
  stored: ListedTrack[],
  part: Pick<ListingPart, 'tracks' | 'isrcs' | 'owed'>,
  albumArtist: string,
): MergedListing {
  const known = new Map(stored.map(track => [track.tidalId, track]));
  const come = new Map(part.tracks.map(track => [track.tidalId, track]));
  const artistOf = (id: string) => {
    const named = come.get(id)?.artistName ?? unknownArtist;
    return named === unknownArtist ? albumArtist : named;
  };
  const merged = new Map<string, ListedTrack>();
  const late: CatalogAlbumTrack[] = [];

  for (const [id, track] of known) {
    const isrc = track.isrc ?? part.isrcs.get(id) ?? come.get(id)?.isrc ?? null;
    merged.set(id, { ...track, isrc: isrcToStore(isrc) });
    if (track.isrc === null && isrc !== null) late.push({ ...track, isrc, artistName: artistOf(id) });
  }
  for (const [id, track] of come) {
    if (known.has(id)) continue;
    const { artistName: _, ...listed } = track;
    merged.set(id, { ...listed, position: 0, isrc: isrcToStore(track.isrc) });
    late.push({ ...track, artistName: artistOf(id) });
  }

  // What the library has whole needs no question, though this listing came without it.
  const trackIds = part.owed.trackIds.filter(id => (merged.get(id)?.isrc ?? null) === null);
  const awaited = new Set(trackIds);
  const named = new Set(inOrder(part.owed.places).filter(id => merged.has(id) || awaited.has(id)));
  const unnamed = [...merged.keys()].filter(id => !named.has(id));
  const listing = [...named, ...unnamed].flatMap((id, index) => {
    const track = merged.get(id);
    return track === undefined ? [] : { ...track, position: index + 1 };
  });
  return { listing, late, owed: { ...part.owed, trackIds } };
}
