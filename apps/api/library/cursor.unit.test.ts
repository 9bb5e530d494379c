import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cursorOf, readCursor } from './cursor.ts';

const id = '9b2e0a53-5a4e-4c1c-8a51-3c1d0f5a7a11';

test('a cursor holds the sort key of its item', () => {
  const name = fc.string({ unit: 'grapheme', maxLength: 300 }).filter(text => !text.includes('\0'));
  fc.assert(
    fc.property(name, name, (artistName, title) => {
      const start = (text: string) => [...text].slice(0, 200).join('');
      expect(readCursor(cursorOf({ artistName, title, id }))).toEqual({
        artist: start(artistName),
        title: start(title),
        id,
      });
    }),
  );
});

const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

test.each([
  ['nothing', ''],
  ['text', 'nonsense'],
  ['a number', cursor(1)],
  ['null', cursor(null)],
  ['too little', cursor(['ABBA', 'Waterloo'])],
  ['too much', cursor(['ABBA', 'Waterloo', id, 1])],
  ['other types', cursor([1, {}, id])],
  ['an id that is none', cursor(['ABBA', 'Waterloo', 'x'])],
  ['a NUL', cursor(['ABBA\0', 'Waterloo', id])],
  ['names longer than any of ours', cursor(['x'.repeat(401), 'Waterloo', id])],
])('%s is no cursor', (_, text) => {
  expect(readCursor(text)).toBeNull();
});

test('any text is a cursor or none, and never an error', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => void readCursor(text)));
});
