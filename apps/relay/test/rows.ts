import type { Isrc } from '@segue/ingestion/isrc.ts';
import type { ClaimedRow } from '@segue/outbox/claim.ts';
import type { Conclusion } from '../steps/conclude.ts';
import type { TakenRow } from '../steps/dropDuplicates.ts';

let rows = 0;

/** A row as a claim gives it, of a recording that no other row of the file asks for. */
export function claimedRow(given: Partial<ClaimedRow> = {}): ClaimedRow {
  const id = ++rows;
  return {
    id,
    isrc: `TESTS${String(id).padStart(7, '0')}` as Isrc,
    title: `Track ${id}`,
    artist: 'Miles Davis',
    album: 'Kind of Blue',
    artworkUrl: null,
    priority: 0,
    force: false,
    attempts: 0,
    createdAt: '2026-11-23 12:00:00.123456+00',
    ...given,
  };
}

/** A row that owns its recording. */
export function takenRow(given: Partial<TakenRow> = {}): TakenRow {
  return { ...claimedRow(given), generation: 1, fresh: true, followers: [], ...given };
}

/** The conclusion of a claim without rows. */
export const nothing: Conclusion = {
  scheduled: [],
  indexedUnsent: [],
  indexed: [],
  duplicates: [],
  refused: [],
  released: [],
};
