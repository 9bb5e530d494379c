import type { Logger } from '@segue/telemetry/logger.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RefusedSignIns } from './refusedSignIns.ts';

const warn = vi.fn();
let refusals: RefusedSignIns;
beforeEach(() => {
  vi.useFakeTimers();
  warn.mockClear();
  refusals = new RefusedSignIns({ warn } as unknown as Logger);
});
afterEach(() => {
  vi.useRealTimers();
});

const told = () => warn.mock.calls.map(([line]) => line.refused);

test('the first is told at once, and those of the next minute at its end, by their number', () => {
  refusals.add();
  expect(warn.mock.calls).toEqual([
    [{ event: 'console_sign_in_refused', refused: 1 }, '1 sign-in to the console refused: unknown token'],
  ]);
  for (let n = 0; n < 1_000; n++) refusals.add();
  vi.advanceTimersByTime(59_999);
  expect(told()).toEqual([1]);
  vi.advanceTimersByTime(1);
  expect(told()).toEqual([1, 1_000]);
});

test('a minute with none is not told, and the next one is told at once', () => {
  refusals.add();
  vi.advanceTimersByTime(60_000);
  expect(told()).toEqual([1]);
  refusals.add();
  expect(told()).toEqual([1, 1]);
});

test('those that are left are told at the end, and no timer stays', () => {
  refusals.add();
  refusals.add();
  refusals.stop();
  expect(told()).toEqual([1, 1]);
  expect(vi.getTimerCount()).toBe(0);
});
