import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Breaker } from './breaker.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const create = () => new Breaker({ firstWaitMs: 1_000, longestWaitMs: 5_000 });
const pass = (ms: number) => vi.advanceTimersByTime(ms);

test('is closed at first, and lets every call through', () => {
  const breaker = create();
  expect([breaker.state, breaker.waitMs]).toEqual(['closed', 0]);
});

test('opens with a failure, and asks for a probe when the wait is over', () => {
  const breaker = create();
  breaker.failed();
  expect([breaker.state, breaker.waitMs]).toEqual(['open', 1_000]);
  pass(999);
  expect([breaker.state, breaker.waitMs]).toEqual(['open', 1]);
  pass(1);
  expect([breaker.state, breaker.waitMs]).toEqual(['probing', 0]);
  // However long nobody has anything to try with.
  pass(3_600_000);
  expect(breaker.state).toBe('probing');
});

test.each(['open', 'probing'])('closes with a success while %s', state => {
  const breaker = create();
  breaker.failed();
  if (state === 'probing') pass(1_000);
  breaker.succeeded();
  expect([breaker.state, breaker.waitMs]).toEqual(['closed', 0]);
});

test('waits twice as long after each failed probe, up to the longest', () => {
  const breaker = create();
  const waits = [1, 2, 3, 4, 5].map(() => {
    breaker.failed();
    const wait = breaker.waitMs;
    pass(wait);
    return wait;
  });
  expect(waits).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
});

test('begins with the first wait again after a success', () => {
  const breaker = create();
  for (let probe = 0; probe < 3; probe++) {
    breaker.failed();
    pass(breaker.waitMs);
  }
  breaker.succeeded();
  breaker.failed();
  expect(breaker.waitMs).toBe(1_000);
});

test('after a week of failures the wait is still a number', () => {
  const breaker = create();
  for (let probe = 0; probe < 100_000; probe++) {
    breaker.failed();
    pass(5_000);
  }
  breaker.failed();
  expect(breaker.waitMs).toBe(5_000);
});

test('calls that were under way when the first of them failed say nothing new', () => {
  const breaker = create();
  for (let call = 0; call < 10; call++) breaker.failed();
  expect(breaker.waitMs).toBe(1_000);
  pass(1_000);
  breaker.failed();
  expect(breaker.waitMs).toBe(2_000);
});

test('a wait is stretched by up to a quarter at random', () => {
  vi.mocked(Math.random).mockReturnValue(0.999);
  const breaker = create();
  breaker.failed();
  expect(breaker.waitMs).toBeCloseTo(1_249.75);
});

describe('calls count as held back', () => {
  test('while open, and when it is time to probe only during the probe, however that ends', async () => {
    const breaker = create();
    const during = (call: () => Promise<unknown>) => breaker.during(call).catch(() => undefined);
    const seen: boolean[] = [];
    const look = async () => void seen.push(breaker.isHeldBack);

    await during(look);
    breaker.failed();
    await look();
    pass(1_000);
    await look();
    await during(look);
    await look();
    await during(async () => {
      await look();
      throw new Error('no luck');
    });
    await look();
    expect(seen).toEqual([false, true, false, true, false, true, false]);
  });
});

describe('Retry-After', () => {
  test('is respected where it is longer than the wait', () => {
    const breaker = create();
    breaker.failed(60_000);
    expect(breaker.waitMs).toBe(60_000);
    pass(60_000);
    breaker.failed();
    expect(breaker.waitMs).toBe(2_000);
  });

  test('does not shorten the wait', () => {
    const breaker = create();
    breaker.failed(10);
    expect(breaker.waitMs).toBe(1_000);
  });

  test('is respected from a call that was under way, too', () => {
    const breaker = create();
    breaker.failed();
    breaker.failed(30_000);
    breaker.failed();
    expect(breaker.waitMs).toBe(30_000);
  });

  test('of more than ten minutes is ten minutes', () => {
    const breaker = create();
    breaker.failed(24 * 3_600_000);
    expect(breaker.waitMs).toBe(600_000);
    breaker.failed(Number.POSITIVE_INFINITY);
    expect(breaker.waitMs).toBe(600_000);
  });
});
