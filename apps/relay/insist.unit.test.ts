import { expect, test, vi } from 'vitest';
import { insistUntil } from './insist.ts';

const never = new AbortController().signal;
const far = Number.POSITIVE_INFINITY;

vi.mock('@segue/process/clock.ts', () => ({ pause: async () => undefined }));

test('what succeeds is done once', async () => {
  const statement = vi.fn(async () => 'done');
  expect(await insistUntil(far, never, statement)).toBe('done');
  expect(statement).toHaveBeenCalledTimes(1);
});

test('what fails is tried again until it succeeds', async () => {
  const statement = vi.fn(async () => 'done');
  statement.mockRejectedValueOnce(new Error('first')).mockRejectedValueOnce(new Error('second'));
  expect(await insistUntil(far, never, statement)).toBe('done');
  expect(statement).toHaveBeenCalledTimes(3);
});

test('what fails past the deadline fails with the last reason, after one try at the least', async () => {
  const statement = vi.fn(() => Promise.reject(new Error('no connection')));
  await expect(insistUntil(performance.now() - 1, never, statement)).rejects.toThrow('no connection');
  expect(statement).toHaveBeenCalledTimes(1);
});

test('nobody insists once the relay gives up', async () => {
  const givingUp = new AbortController();
  const statement = vi.fn(async () => {
    if (statement.mock.calls.length === 2) givingUp.abort();
    throw new Error('no connection');
  });
  await expect(insistUntil(far, givingUp.signal, statement)).rejects.toThrow('no connection');
  expect(statement).toHaveBeenCalledTimes(2);
});
