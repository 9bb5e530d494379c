import { expect, test } from 'vitest';
import { InputError } from './inputError.ts';
import { readPage } from './page.ts';

test('a page is 50 items from the beginning, unless something else is asked for', () => {
  expect(readPage({}, 200)).toEqual({ first: 50, after: null });
  expect(readPage({ first: null, after: null }, 200)).toEqual({ first: 50, after: null });
  expect(readPage({ first: 200, after: 'x' }, 200)).toEqual({ first: 200, after: 'x' });
});

test.each([0, -1, 201])('a page of %i items is refused', first => {
  expect(() => readPage({ first }, 200)).toThrow(new InputError('first must be from 1 to 200'));
});
