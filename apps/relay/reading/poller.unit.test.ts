import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Poller } from './poller.ts';

/** How long each wait would have taken; a test that wants a poll ends the wait itself. */
const waits: number[] = [];
let poll = Promise.withResolvers<void>();

vi.mock('@segue/process/pause.ts', () => ({
  pause: (ms: number, signal: AbortSignal) => {
    waits.push(ms);
    const aborted = new Promise<void>(resolve => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    return Promise.race([poll.promise, aborted]);
  },
}));

beforeEach(() => {
  waits.length = 0;
  poll = Promise.withResolvers();
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const create = () => new Poller({ pollIntervalMs: 1_000 });
const never = new AbortController().signal;

/** How long so many waits take when nobody gives a hint. */
async function polls(wake: Poller, count: number): Promise<number[]> {
  poll.resolve();
  for (let times = 0; times < count; times++) await wake.next(never);
  return waits.splice(0);
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
  const [wait = 0] = await polls(create(), 1);
  expect(wait).toBeCloseTo(1_249.75);
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
  await wake.next(never);
  expect(waits).toEqual([]);

  const woken = wake.next(never);
  expect(waits).toHaveLength(1);
  wake.hint();
  await woken;
});

test('a hint is no reason to poll less often', async () => {
  const wake = create();
  wake.busy();
  const woken = wake.next(never);
  wake.hint();
  await woken;
  waits.length = 0;
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
  const warnings: Error[] = [];
  const collect = (warning: Error) => warnings.push(warning);
  process.on('warning', collect);
  await polls(create(), 500);
  await new Promise(setImmediate);
  process.off('warning', collect);
  expect(warnings).toEqual([]);
});
