import { expect, test } from 'vitest';
import { pause } from './pause.ts';

/** Longer than any test may take: only the signal can end it. */
const forever = 3_600_000;

test('a pause ends by itself', async () => {
  await expect(pause(1, new AbortController().signal)).resolves.toBeUndefined();
});

test('the signal ends a pause, and one that has ended lets none begin', async () => {
  const ending = new AbortController();
  const paused = pause(forever, ending.signal);
  ending.abort(new Error('over'));
  await expect(paused).resolves.toBeUndefined();
  await expect(pause(forever, ending.signal)).resolves.toBeUndefined();
});
