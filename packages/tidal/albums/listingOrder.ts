import type { OwedListing } from '../catalog.ts';

/** The ids of the tracks that an album names, by volume and track number. */
export function inOrder(places: OwedListing['places']): string[] {
  return places.toSorted((a, b) => a.volume - b.volume || a.number - b.number).map(({ id }) => id);
}

/** Whether TIDAL has still to be asked for something. */
export function isOwed(owed: OwedListing): boolean {
  return owed.nextPage !== null || owed.trackIds.length > 0;
}

/**
 * How many tracks are still owed: those to be asked for by id, and what the pages that are still to be read can hold.
 * Where TIDAL does not say how many items the album has, these count as one.
 */
export function countOwed(owed: OwedListing): number {
  const unread = (owed.expectedItems ?? 0) - owed.places.length - owed.videos.length;
  return owed.trackIds.length + (owed.nextPage === null ? 0 : Math.max(1, unread));
}
