import { expect, test } from 'vitest';
import { type IncludeTree, readInclude } from './include.ts';

type Plain = { [name: string]: Plain };
const plain = (tree: IncludeTree): Plain =>
  Object.fromEntries([...tree].map(([name, branch]) => [name, plain(branch)]));

test('paths share their beginnings, whether joined by commas or repeated', () => {
  expect(plain(readInclude('artists,albums.coverArt', 'tracks'))).toEqual({
    artists: {},
    albums: { coverArt: {} },
  });
  expect(plain(readInclude(['albums.coverArt', 'albums.artists'], 'tracks'))).toEqual({
    albums: { coverArt: {}, artists: {} },
  });
  expect(plain(readInclude('items.artists,items.albums.coverArt', 'albums', 'items'))).toEqual({
    items: { artists: {}, albums: { coverArt: {} } },
  });
  expect(plain(readInclude(undefined, 'tracks'))).toEqual({});
});

test.each([
  ['nonsense', 'tracks', undefined, "Invalid include path 'nonsense'"],
  ['coverArt', 'tracks', undefined, "Invalid include path 'coverArt'"],
  ['artists.coverArt', 'albums', undefined, "Invalid include path 'artists.coverArt'"],
  ['artists', 'albums', 'items', "Invalid include path 'artists'"],
  [
    'items.albums.items.artists',
    'albums',
    undefined,
    "Include path 'items.albums.items.artists' is deeper than 3",
  ],
] as const)('%s of %s (only %s)', (raw, root, only, problem) => {
  expect(() => readInclude(raw, root, only)).toThrow(problem);
});
