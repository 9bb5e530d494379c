import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { callTimeMs } from './callBudget.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const batch = () => ({
  claimedAt: performance.now(),
  leaseMs: 1_000,
  inngestBreaker: { state: 'closed' as const },
  stopping: new AbortController().signal,
});

test('a call may take what is left of the lease but for a quarter, and none begins in the last tenth before that', () => {
  const ours = batch();
  expect(callTimeMs(ours)).toBe(750);
  vi.advanceTimersByTime(650);
  expect(callTimeMs(ours)).toBe(100);
  vi.advanceTimersByTime(1);
  expect(callTimeMs(ours)).toBe(0);
  vi.advanceTimersByTime(1_000);
  expect(callTimeMs(ours)).toBe(0);
});

test('no call begins while Inngest is known to be away; one that finds out whether it is back does', () => {
  expect(callTimeMs({ ...batch(), inngestBreaker: { state: 'open' } })).toBe(0);
  expect(callTimeMs({ ...batch(), inngestBreaker: { state: 'probing' } })).toBe(750);
});

test('no call begins while the relay stops', () => {
  expect(callTimeMs({ ...batch(), stopping: AbortSignal.abort() })).toBe(0);
});
