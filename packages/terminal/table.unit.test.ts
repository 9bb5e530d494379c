import { expect, test } from 'vitest';
import { table } from './table.ts';

test('each column is as wide as its widest cell, and no line ends in spaces', () => {
  expect(
    table(
      ['recording', 'ISRC'],
      [
        ['So What', 'USSM15900113'],
        ['Blue in Green', ''],
      ],
    ),
  ).toEqual([
    'recording      ISRC',
    '─────────────  ────────────',
    'So What        USSM15900113',
    'Blue in Green',
  ]);
});

test('cells are measured as a terminal shows them', () => {
  const lines = table(
    ['title', 'x'],
    [
      ['夜に駆ける', '1'],
      ['Café', '2'],
      ['🎷', '3'],
      ['Cafe\u0301', '4'],
    ],
  );
  expect(lines).toEqual([
    'title       x',
    '──────────  ─',
    '夜に駆ける  1',
    'Café        2',
    '🎷          3',
    'Cafe\u0301        4',
  ]);
});

test('what a cell holds neither tears the table nor moves the cursor', () => {
  expect(table(['a', 'b'], [['one\r\ntwo\u001b[2J', 'x']]).at(-1)).toBe('one two [2J  x');
});

test('a table without rows is its head', () => {
  expect(table(['status', 'count'], [])).toEqual(['status  count', '──────  ─────']);
});
