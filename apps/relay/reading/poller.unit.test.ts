import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Poller } from './poller.ts';

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const create = () => new Poller({ pollIntervalMs: 1_000 });
const never = new AbortController().signal;

/** How long so many waits take when nobody gives a hint, in ms. */
async function polls(wake: Poller, count: number): Promise<number[]> {
  const waits: number[] = [];
  for (let times = 0; times < count; times++) {
    const from = performance.now();
    const polled = wake.next(never);
    vi.advanceTimersToNextTimer();
    await polled;
    waits.push(performance.now() - from);
  }
  return waits;
}

test('an idle relay polls once an interval', async () => {
  expect(await polls(create(), 3)).toEqual([1_000, 1_000, 1_000]);
});

test('right after work it polls quickly, and ever slower up to the interval', async () => {
  const wake = create();
  wake.busy();
  expect(await polls(wake, 8)).toEqual([20, 40, 80, 160, 320, 640, 1_000, 1_000]);
  wake.busy();
  expect(await polls(wake, 1)).toEqual([20]);
});

test('it never polls less often than asked for', async () => {
  const wake = new Poller({ pollIntervalMs: 10 });
  wake.busy();
  expect(await polls(wake, 2)).toEqual([10, 10]);
});

test('a poll comes up to a quarter late, at random', async () => {
  vi.mocked(Math.random).mockReturnValue(0.999);
  const setTimer = vi.spyOn(globalThis, 'setTimeout');
  await polls(create(), 1);
  expect(setTimer.mock.calls[0]?.[1]).toBeCloseTo(1_249.75);
});

test('a hint ends the wait', async () => {
  const wake = create();
  const woken = wake.next(never);
  wake.hint();
  await expect(woken).resolves.toBeUndefined();
});

test('a hint that came before is not lost, and is good for one wait', async () => {
  const wake = create();
  wake.hint();
  wake.hint();
  const awake = wake.next(never);
  expect(vi.getTimerCount()).toBe(0);
  await awake;

  const woken = wake.next(never);
  expect(vi.getTimerCount()).toBe(1);
  wake.hint();
  await woken;
});

test('a hint is no reason to poll less often', async () => {
  const wake = create();
  wake.busy();
  const woken = wake.next(never);
  wake.hint();
  await woken;
  expect(await polls(wake, 1)).toEqual([20]);
});

test('the signal ends the wait, and one that has ended lets none begin', async () => {
  const stopping = new AbortController();
  const wake = create();
  const woken = wake.next(stopping.signal);
  stopping.abort();
  await expect(woken).resolves.toBeUndefined();
  await expect(wake.next(stopping.signal)).resolves.toBeUndefined();
});

test('waiting for days leaves no listener behind on the signal', async () => {
  await polls(create(), 500);
  expect(getEventListeners(never, 'abort')).toEqual([]);
});
