import { expect, test } from 'vitest';
import { readDuration, readMoment, sayDuration } from './duration.ts';

test.each([
  ['90s', 90_000],
  ['15m', 900_000],
  ['2h', 7_200_000],
  ['7d', 604_800_000],
])('%s is a duration', (text, ms) => expect(readDuration(text)).toBe(ms));

test.each(['', '5', 'm', '-5m', '1.5h', '5 m', '99999999d', '5000d'])('"%s" is no duration', text => {
  expect(() => readDuration(text)).toThrow('Give it as 90s');
});

test('a moment is a time ago, or a date', () => {
  expect(readMoment('2h', 10_000_000)).toEqual(new Date(2_800_000));
  expect(readMoment('2026-11-25T03:00:00Z')).toEqual(new Date('2026-11-25T03:00:00Z'));
  expect(() => readMoment('yesterday')).toThrow('Give it as 2h');
});

test('a duration is said in the unit that fits', () => {
  expect([45, 720, 10_800, 200_000].map(sayDuration)).toEqual(['45 s', '12 min', '3 h', '2 d']);
});
