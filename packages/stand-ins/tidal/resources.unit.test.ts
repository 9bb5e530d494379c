import { expect, test } from 'vitest';
import { isoDuration } from './resources.ts';

test.each([
  [7216, 'PT2H16S'],
  [252, 'PT4M12S'],
  [180, 'PT3M'],
  [25, 'PT25S'],
  [3661, 'PT1H1M1S'],
  [0, 'PT0S'],
])('%d s is %s', (seconds, duration) => {
  expect(isoDuration(seconds)).toBe(duration);
});
