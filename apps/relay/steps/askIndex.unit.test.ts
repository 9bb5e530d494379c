import { expect, test, vi } from 'vitest';
import { Breaker } from '../guards/breaker.ts';
import { takenRow } from '../test/rows.ts';
import { askIndex } from './askIndex.ts';

const closed = () => new Breaker({ firstWaitMs: 3_600_000, longestWaitMs: 3_600_000 });

/** An index that has these recordings. */
function indexOf(...indexed: string[]) {
  return {
    checkTracksExist: vi.fn(
      async (isrcs: string[]) => new Map(isrcs.map(isrc => [isrc, indexed.includes(isrc)])),
    ),
  };
}

test('what is in the index is told from what is wanted, in one call', async () => {
  const rows = [takenRow(), takenRow(), takenRow()];
  const index = indexOf(rows[1]?.isrc as string);
  expect(await askIndex(index, closed(), rows)).toEqual({ wanted: [rows[0], rows[2]], indexed: [rows[1]] });
  expect(index.checkTracksExist.mock.calls).toEqual([[rows.map(row => row.isrc)]]);
});

test('a forced row is wanted, and not asked for', async () => {
  const [plain, forced] = [takenRow(), takenRow({ force: true })];
  const index = indexOf(plain.isrc, forced.isrc);
  expect(await askIndex(index, closed(), [plain, forced])).toEqual({ wanted: [forced], indexed: [plain] });
  expect(index.checkTracksExist.mock.calls).toEqual([[[plain.isrc]]]);
});

test.each([[[]], [[takenRow({ force: true })]]])(
  'where there is nothing to ask, nobody is asked',
  async rows => {
    const index = indexOf();
    expect(await askIndex(index, closed(), rows)).toEqual({ wanted: rows, indexed: [] });
    expect(index.checkTracksExist).not.toHaveBeenCalled();
  },
);

test('an index that cannot be asked makes everything wanted, and says why', async () => {
  const rows = [takenRow(), takenRow()];
  const index = { checkTracksExist: vi.fn(() => Promise.reject(new Error('fetch failed'))) };
  expect(await askIndex(index, closed(), rows)).toEqual({
    wanted: rows,
    indexed: [],
    error: 'Qdrant: fetch failed',
  });
});

test('an index that failed a moment ago is not asked, and every batch says so', async () => {
  const index = { checkTracksExist: vi.fn(() => Promise.reject(new Error('fetch failed'))) };
  const breaker = closed();
  await askIndex(index, breaker, [takenRow()]);
  const rows = [takenRow()];
  expect(await askIndex(index, breaker, rows)).toEqual({
    wanted: rows,
    indexed: [],
    error: expect.stringContaining('not asked'),
  });
  expect(index.checkTracksExist).toHaveBeenCalledTimes(1);
});

test('an index that answers again is asked for every batch', async () => {
  const breaker = new Breaker({ firstWaitMs: 0, longestWaitMs: 0 });
  const index = indexOf();
  index.checkTracksExist.mockRejectedValueOnce(new Error('fetch failed'));
  await askIndex(index, breaker, [takenRow()]);
  expect(breaker.state).toBe('probing');
  await askIndex(index, breaker, [takenRow()]);
  expect(breaker.state).toBe('closed');
});
