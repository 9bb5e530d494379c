import { expect, test } from 'vitest';
import { InputError } from './inputError.ts';
import { readConnectionPage, readPage } from './page.ts';

test('a page is 50 items from the beginning, unless something else is asked for', () => {
  const usual = { size: 50, fromEnd: false, after: null, before: null };
  expect(readPage({}, 200)).toEqual(usual);
  expect(readPage({ first: null, after: null }, 200)).toEqual(usual);
  expect(readPage({ first: 200, after: 'x' }, 200)).toEqual({ ...usual, size: 200, after: 'x' });
  expect(readPage({}, 20)).toEqual({ ...usual, size: 20 });

  expect(readConnectionPage({}, 200)).toEqual(usual);
  expect(readConnectionPage({ first: null, last: null, after: null, before: null }, 200)).toEqual(usual);
  expect(readConnectionPage({ first: 0, after: 'x', before: 'y' }, 200)).toEqual({
    size: 0,
    fromEnd: false,
    after: 'x',
    before: 'y',
  });
  expect(readConnectionPage({ last: 7, before: 'y' }, 200)).toEqual({
    size: 7,
    fromEnd: true,
    after: null,
    before: 'y',
  });
});

test.each([0, -1, 201])('a page of %i items is refused', first => {
  expect(() => readPage({ first }, 200)).toThrow(new InputError('first must be from 1 to 200'));
});

test.each([
  [{ first: -1 }, 'first must be from 0 to 200'],
  [{ last: 201 }, 'last must be from 0 to 200'],
  [{ first: 1, last: 1 }, 'first and last are both given: give the one that is meant'],
])('a page of a connection of %j is refused', (given, message) => {
  expect(() => readConnectionPage(given, 200)).toThrow(new InputError(message));
});
