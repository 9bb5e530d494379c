import { expect, test } from 'vitest';
import { sparseVectorOf } from './sparseVector.ts';

const entriesOf = (text: string) => {
  const { indices, values } = sparseVectorOf(text);
  return Object.fromEntries(indices.map((index, place) => [index, values[place]]));
};

test('words are weighed as those of a query are', () => {
  const entries = entriesOf('Hello, hello World! A');
  expect(Object.keys(entries)).toEqual(['1564557354', '2105094199']);
  expect(entries[1564557354]).toBeCloseTo(0.625, 10);
  expect(entries[2105094199]).toBeCloseTo(0.4545, 4);
});

test('letters beyond ASCII are gaps, as on the side of the query', () => {
  expect(entriesOf('café')).toEqual(entriesOf('caf'));
  expect(entriesOf('夜に駆ける')).toEqual({});
  expect(entriesOf('')).toEqual({});
});
