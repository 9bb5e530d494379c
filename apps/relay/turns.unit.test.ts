import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Turns } from './turns.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const calls = (ms: number) => async () => {
  vi.advanceTimersByTime(ms);
};

test('no batch is claimed ahead before it is known how long the calls take', () => {
  expect(new Turns({ concurrency: 3, leaseMs: 30_000 }).batchesUnderWay).toBe(3);
});

test.each([
  [1, 3],
  [2, 4],
  [3, 4],
  [4, 4],
  [8, 8],
])('with %d that call at a time, %d may be under way', async (concurrency, most) => {
  const turns = new Turns({ concurrency, leaseMs: 30_000 });
  await turns.take(calls(1));
  expect(turns.batchesUnderWay).toBe(most);
});

test('two are while the calls are quick, none while they take more than a tenth of the lease', async () => {
  const turns = new Turns({ concurrency: 2, leaseMs: 30_000 });
  await turns.take(calls(3_000));
  expect(turns.batchesUnderWay).toBe(4);
  await turns.take(calls(3_001));
  expect(turns.batchesUnderWay).toBe(2);
  await turns.take(calls(5));
  expect(turns.batchesUnderWay).toBe(4);
});

test('calls that fail have taken their time, too', async () => {
  const turns = new Turns({ concurrency: 1, leaseMs: 1_000 });
  await turns.take(calls(1));
  const failing = turns.take(async () => {
    await calls(101)();
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(turns.batchesUnderWay).toBe(1);
});

test('turns come in the order of asking, so many at the same time', async () => {
  const turns = new Turns({ concurrency: 2, leaseMs: 1_000 });
  const began: number[] = [];
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const taken = gates.map((gate, number) =>
    turns.take(() => {
      began.push(number);
      return gate.promise;
    }),
  );
  await vi.waitFor(() => expect(began).toEqual([0, 1]));
  gates[1]?.resolve();
  await taken[1];
  await vi.waitFor(() => expect(began).toEqual([0, 1, 2]));
  for (const gate of gates) gate.resolve();
  await Promise.all(taken);
  expect(began).toEqual([0, 1, 2, 3]);
});
