import { expect, test, vi } from 'vitest';
import { Breaker } from '../guards/breaker.ts';
import { openRow, sendingOf } from '../test/rows.ts';
import { askIndex } from './askIndex.ts';

const closed = () => new Breaker({ firstWaitMs: 3_600_000, longestWaitMs: 3_600_000 });

const sending = (force = false) => sendingOf(openRow({ force }));

/** An index that has these recordings. */
function indexOf(...indexed: string[]) {
  return {
    checkTracksExist: vi.fn(
      async (isrcs: string[]) => new Map(isrcs.map(isrc => [isrc, indexed.includes(isrc)])),
    ),
  };
}

test('what is in the index is noted, in one call', async () => {
  const sendings = [sending(), sending(), sending()];
  const index = indexOf(sendings[1]?.isrc as string);
  expect(await askIndex(index, closed(), sendings)).toBe(null);
  expect(sendings.map(({ outcome }) => outcome.as)).toEqual(['undecided', 'indexed', 'undecided']);
  expect(index.checkTracksExist.mock.calls).toEqual([[sendings.map(({ isrc }) => isrc)]]);
});

test('a forced request is not asked for', async () => {
  const [plain, forced] = [sending(), sending(true)];
  const index = indexOf(plain.isrc, forced.isrc);
  await askIndex(index, closed(), [plain, forced]);
  expect([plain.outcome.as, forced.outcome.as]).toEqual(['indexed', 'undecided']);
  expect(index.checkTracksExist.mock.calls).toEqual([[[plain.isrc]]]);
});

test.each([[[]], [[sending(true)]]])('where there is nothing to ask, nobody is asked', async sendings => {
  const index = indexOf();
  expect(await askIndex(index, closed(), sendings)).toBe(null);
  expect(index.checkTracksExist).not.toHaveBeenCalled();
});

test('an index that cannot be asked decides nothing, and the reason is told', async () => {
  const sendings = [sending(), sending()];
  const index = { checkTracksExist: vi.fn(() => Promise.reject(new Error('fetch failed'))) };
  expect(await askIndex(index, closed(), sendings)).toBe('Qdrant: fetch failed');
  expect(sendings.map(({ outcome }) => outcome.as)).toEqual(['undecided', 'undecided']);
});

test.each([401, 403])('an index that answers %d says what to look at', async status => {
  const index = {
    checkTracksExist: vi.fn(() => Promise.reject(Object.assign(new Error('Refused'), { status }))),
  };
  expect(await askIndex(index, closed(), [sending()])).toBe('Qdrant: Refused. Check QDRANT_API_KEY');
});

test('an index that failed a moment ago is not asked, and every batch says so', async () => {
  const index = { checkTracksExist: vi.fn(() => Promise.reject(new Error('fetch failed'))) };
  const breaker = closed();
  await askIndex(index, breaker, [sending()]);
  expect(await askIndex(index, breaker, [sending()])).toContain('not asked');
  expect(index.checkTracksExist).toHaveBeenCalledTimes(1);
});

test('an index that answers again is asked for every batch', async () => {
  const breaker = new Breaker({ firstWaitMs: 0, longestWaitMs: 0 });
  const index = indexOf();
  index.checkTracksExist.mockRejectedValueOnce(new Error('fetch failed'));
  await askIndex(index, breaker, [sending()]);
  expect(breaker.state).toBe('probing');
  await askIndex(index, breaker, [sending()]);
  expect(breaker.state).toBe('closed');
});
