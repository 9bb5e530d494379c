import { expect, test, vi } from 'vitest';
import { backoffMs, readRetryAfter } from './backoff.ts';

test('the wait doubles, with jitter, from 250 ms to 4 s', () => {
  using random = vi.spyOn(Math, 'random').mockReturnValue(1);
  expect([1, 2, 3, 5, 50].map(attempts => backoffMs(attempts, 0))).toEqual([250, 500, 1000, 4000, 4000]);
  random.mockReturnValue(0);
  expect(backoffMs(3, 0)).toBe(200);
});

test('the wait is never shorter than the server asks for', () => {
  expect(backoffMs(1, 7000)).toBe(7000);
});

test('Retry-After is seconds or a date', () => {
  using _now = vi.spyOn(Date, 'now').mockReturnValue(Date.parse('2025-11-23T10:00:00Z'));
  expect(readRetryAfter('120')).toBe(120_000);
  expect(readRetryAfter('Sun, 23 Nov 2025 10:00:05 GMT')).toBe(5000);
  expect(readRetryAfter('Sun, 23 Nov 2025 09:00:00 GMT')).toBe(0);
});

test.each([null, '', 'soon'])('Retry-After %j is none', header => {
  expect(readRetryAfter(header)).toBe(0);
});
