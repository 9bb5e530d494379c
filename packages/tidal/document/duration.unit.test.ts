import fc from 'fast-check';
import { expect, test } from 'vitest';
import { durationInSeconds } from './duration.ts';

test.each([
  ['PT2H16S', 7216],
  ['PT4M12S', 252],
  ['PT3M', 180],
  ['P1DT1S', 86_401],
  ['PT2M58.6S', 179],
  ['PT2M58,4S', 178],
  ['PT0S', 0],
])('%s is %i s', (text, seconds) => {
  expect(durationInSeconds(text)).toBe(seconds);
});

test.each(['', 'P', '3:12', 'PT', 'PT-3M', 'PT3M and more', 'PT999999H'])(
  '%j is none, which is 0 s',
  text => {
    expect(durationInSeconds(text)).toBe(0);
  },
);

test('every duration it reads fits a 32-bit integer', () => {
  const part = (max: number) => fc.integer({ min: 0, max });
  fc.assert(
    fc.property(part(9999), part(99_999), part(99_999), part(99_999), (days, hours, minutes, seconds) => {
      const read = durationInSeconds(`P${days}DT${hours}H${minutes}M${seconds}S`);
      expect(read).toBe(days * 86_400 + hours * 3600 + minutes * 60 + seconds);
      expect(read).toBeLessThan(2 ** 31);
    }),
  );
});
