import { isIsrc } from '@segue/ingestion/isrc.ts';
import { expect, test } from 'vitest';
import { sampleCatalogue } from './sampleCatalogue.ts';

const { albums, tracks, videos, artists } = sampleCatalogue;
const album = (title: string) => {
  const found = albums.find(each => each.title.startsWith(title));
  if (found === undefined) throw new Error(`no album ${title}`);
  return found;
};
const tracksOf = (title: string) =>
  album(title).items.map(item => tracks.find(track => track.id === item.id));

test('ids are unique, and every ISRC is valid', () => {
  for (const kind of [albums, tracks, videos, artists]) {
    expect(new Set(kind.map(each => each.id)).size).toBe(kind.length);
  }
  expect([...tracks, ...videos].filter(({ isrc }) => isrc !== undefined && !isIsrc(isrc))).toEqual([]);
});

test('46 recordings on two volumes', () => {
  expect(new Set(tracksOf('Hamilton').map(track => track?.isrc)).size).toBe(46);
  expect(new Set(album('Hamilton').items.map(item => item.volumeNumber))).toEqual(new Set([1, 2]));
});

test('a listing with holes', () => {
  const { numberOfItems, items } = album('Abbey Road');
  expect([numberOfItems, items.length]).toEqual([17, 15]);
  expect(items.filter(item => item.listedWithout === 'resource')).toHaveLength(1);
});

test('one recording under two track ids', () => {
  const [onAlbum, alone] = [tracksOf('25')[0], tracksOf('Hello')[0]];
  expect(onAlbum?.isrc).toBe(alone?.isrc);
  expect(onAlbum?.id).not.toBe(alone?.id);
});

test('a track whose listing lacks the ISRC, and a single one that has none', () => {
  const [item] = album('Kind of Blue').items.filter(each => each.listedWithout === 'isrc');
  expect(tracks.find(track => track.id === item?.id)?.isrc).toBe('USSM15900116');
  expect(tracks.filter(track => track.isrc === undefined)).toHaveLength(1);
});

test('a video among the items, and an artist named but not known', () => {
  expect(album('Random Access Memories').items.filter(item => item.type === 'videos')).toHaveLength(1);
  const known = new Set(artists.map(artist => artist.id));
  expect(
    tracks.filter(track => track.artistIds.some(id => !known.has(id))).map(track => track.title),
  ).toEqual(['Instant Crush']);
});
