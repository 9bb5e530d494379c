import type { ListedTrack } from '@segue/database/schema/tables.ts';
import { unreadListing } from '@segue/tidal/albums/listingReader.ts';
import type { CatalogAlbumTrack, OwedListing } from '@segue/tidal/catalog.ts';
import { expect, test } from 'vitest';
import { mergeListing } from './mergeListing.ts';

const isrcOf = (id: string) => `XXMRG26${id.padStart(5, '0')}`;

const stored = (id: string, position: number, isrc: string | null = isrcOf(id)): ListedTrack => ({
  position,
  title: `Track ${id}`,
  duration: 180,
  tidalId: id,
  explicit: false,
  isrc,
});

const come = (id: string, given: Partial<CatalogAlbumTrack> = {}): CatalogAlbumTrack => ({
  tidalId: id,
  title: `Track ${id}`,
  artistName: 'Abba',
  duration: 180,
  explicit: false,
  isrc: isrcOf(id),
  ...given,
});

const owedOf = (places: string[], trackIds: string[] = []): OwedListing => ({
  ...unreadListing(null),
  nextPage: null,
  places: places.map((id, index) => ({ id, volume: 1, number: index + 1 })),
  trackIds,
});

const positions = (listing: ListedTrack[]) => listing.map(({ position, tidalId }) => [position, tidalId]);

test('a late track stands in its place, and is to be requested', () => {
  const part = { tracks: [come('2')], isrcs: new Map(), owed: owedOf(['1', '2', '3']) };
  const { listing, late } = mergeListing([stored('1', 1), stored('3', 3)], part, 'Artist');
  expect(positions(listing)).toEqual([
    [1, '1'],
    [2, '2'],
    [3, '3'],
  ]);
  expect(late).toEqual([come('2')]);
});

test('a track that is still owed keeps its position free; one that TIDAL does not have gives it up', () => {
  const tracks = [stored('1', 1), stored('4', 4)];
  const part = { tracks: [], isrcs: new Map(), owed: owedOf(['1', '2', '3', '4'], ['3']) };
  expect(positions(mergeListing(tracks, part, 'Artist').listing)).toEqual([
    [1, '1'],
    [3, '4'],
  ]);
});

test('a late ISRC is filled in, and its recording is to be requested once', () => {
  const part = {
    tracks: [come('1', { isrc: 'xx-mrg-26-00001' })],
    isrcs: new Map([['1', 'xx-mrg-26-00001']]),
    owed: owedOf(['1', '2']),
  };
  const first = mergeListing([stored('1', 1, null), stored('2', 2)], part, 'Artist');
  expect(first.listing[0]).toEqual(stored('1', 1));
  expect(first.late).toMatchObject([{ tidalId: '1', isrc: 'xx-mrg-26-00001', artistName: 'Abba' }]);
  expect(mergeListing(first.listing, part, 'Artist').late).toEqual([]);
});

test('what the library has whole is not asked for again', () => {
  const part = { tracks: [], isrcs: new Map(), owed: owedOf(['1', '2'], ['1', '2']) };
  const { owed } = mergeListing([stored('1', 1), stored('2', 2, null)], part, 'Artist');
  expect(owed.trackIds).toEqual(['2']);
});

test('a track that TIDAL no longer names stays, behind the rest', () => {
  const part = { tracks: [come('2')], isrcs: new Map(), owed: owedOf(['2']) };
  expect(positions(mergeListing([stored('1', 1)], part, 'Artist').listing)).toEqual([
    [1, '2'],
    [2, '1'],
  ]);
});

test("the album's artist stands in for one whom TIDAL does not name", () => {
  const part = {
    tracks: [come('2', { artistName: 'Unknown Artist' })],
    isrcs: new Map([['1', isrcOf('1')]]),
    owed: owedOf(['1', '2']),
  };
  const { late } = mergeListing([stored('1', 1, null)], part, 'Artist');
  expect(late.map(({ artistName }) => artistName)).toEqual(['Artist', 'Artist']);
});
