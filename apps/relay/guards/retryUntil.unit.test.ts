import { isOutage } from '@segue/database/outage.ts';
import { expect, test, vi } from 'vitest';
import { retryUntil } from './retryUntil.ts';

const never = new AbortController().signal;
const nobody = () => undefined;

const withCode = (code: string, message = 'failed') => Object.assign(new Error(message), { code });

vi.mock('@segue/process/pause.ts', () => ({ pause: async () => undefined }));

test('what succeeds is done once', async () => {
  const statement = vi.fn(async () => 'done');
  expect(await retryUntil(never, statement, isOutage, nobody)).toBe('done');
  expect(statement).toHaveBeenCalledTimes(1);
});

test.each([
  ['a connection that breaks', 'CONNECTION_CLOSED'],
  ['a database that shuts down', '57P01'],
  ['a disk that is full', '53100'],
])('what fails with %s is tried again until it succeeds', async (_, code) => {
  const statement = vi.fn(async () => 'done');
  statement.mockRejectedValueOnce(withCode(code)).mockRejectedValueOnce(withCode(code));
  const onFirstFailure = vi.fn();
  expect(await retryUntil(never, statement, isOutage, onFirstFailure)).toBe('done');
  expect(statement).toHaveBeenCalledTimes(3);
  expect(onFirstFailure).toHaveBeenCalledTimes(1);
});

test.each([
  ['a statement that is wrong', withCode('42601')],
  ['a constraint', withCode('23514')],
  ['a mistake of ours', new TypeError('undefined is not a function')],
])('what fails with %s fails at once: it would do so each time', async (_, error) => {
  const statement = vi.fn(() => Promise.reject(error));
  const onFirstFailure = vi.fn();
  await expect(retryUntil(never, statement, isOutage, onFirstFailure)).rejects.toBe(error);
  expect(statement).toHaveBeenCalledTimes(1);
  expect(onFirstFailure).not.toHaveBeenCalled();
});

test('nothing is tried again once the relay gives up', async () => {
  const givingUp = new AbortController();
  const statement = vi.fn(async () => {
    if (statement.mock.calls.length === 2) givingUp.abort();
    throw withCode('ECONNREFUSED', 'no connection');
  });
  await expect(retryUntil(givingUp.signal, statement, isOutage, nobody)).rejects.toThrow('no connection');
  expect(statement).toHaveBeenCalledTimes(2);
});

test('nothing is tried again when the relay gives up between two tries', async () => {
  const givingUp = new AbortController();
  const statement = vi.fn(() => Promise.reject(withCode('ECONNREFUSED', 'no connection')));
  // Told before the pause.
  const tried = retryUntil(givingUp.signal, statement, isOutage, () => givingUp.abort());
  await expect(tried).rejects.toThrow('no connection');
  expect(statement).toHaveBeenCalledTimes(1);
});
