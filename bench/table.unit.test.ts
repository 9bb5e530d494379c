import { expect, test } from 'vitest';
import { measured } from './statistics.ts';
import { number, printable, withSpread } from './table.ts';

test('columns are as wide as their widest cell; numbers stand on the right', () => {
  const rows = [
    ['who', 'rows/s'],
    ['relay', '24,312'],
    ['pgbench', '9'],
  ];
  expect(printable({ title: 'Drain', rows })).toBe(
    [
      'Drain',
      '────────────────',
      'who       rows/s',
      '────────────────',
      'relay     24,312',
      'pgbench        9',
      '────────────────',
    ].join('\n'),
  );
});

test('a short row leaves its last cells empty', () => {
  const rows = [['a', 'b'], ['only one']];
  expect(printable({ title: 'T', rows }).split('\n').at(-2)).toBe('only one');
});

test('a measured value shows its spread', () => {
  expect(withSpread(measured([2.7, 2.55, 2.614]), 2)).toBe('2.61 [2.55–2.70]');
});

test('thousands are kept apart', () => {
  expect(number(24312.4)).toBe('24,312');
  expect(number(0.5, 2)).toBe('0.50');
});
