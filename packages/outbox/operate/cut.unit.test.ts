import { expect, test } from 'vitest';
import { cut } from './cut.ts';

test.each([
  ['a text that fits', 'abcd', 'abcd'],
  ['a longer one', 'abcde', 'abc…'],
  ['one that would end in half of a character', 'ab😀de', 'ab…'],
  ['one that ends in a whole one', 'a😀cde', 'a😀…'],
])('cut leaves of %s what has room', (_, text, expected) => {
  expect(cut(text, 4)).toBe(expected);
});
