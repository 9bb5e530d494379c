import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OutageGuard } from './outageGuard.ts';

const refused = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('once the database is away, nobody waits for it, but for one each 250 ms who tries', async () => {
  const guard = new OutageGuard();
  const work = vi.fn(() => Promise.reject(refused()));
  await expect(guard.run(work)).rejects.toThrow('ECONNREFUSED');
  for (let time = 0; time < 50; time++) await expect(guard.run(work)).rejects.toThrow('ECONNREFUSED');
  expect(work).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(250);
  await Promise.allSettled([guard.run(work), guard.run(work), guard.run(work)]);
  expect(work).toHaveBeenCalledTimes(2);
});

test('those who wait for a database that turns out to be away are told', async () => {
  const guard = new OutageGuard();
  const waiting = guard.run(() => new Promise<never>(() => {}));
  await expect(guard.run(() => Promise.reject(refused()))).rejects.toThrow();
  await expect(waiting).rejects.toThrow('ECONNREFUSED');
});

test('the first who succeeds lets all through again', async () => {
  const guard = new OutageGuard();
  await expect(guard.run(() => Promise.reject(refused()))).rejects.toThrow();
  vi.advanceTimersByTime(250);
  expect(await guard.run(async () => 'back')).toBe('back');
  expect(await guard.run(async () => 'all')).toBe('all');
});

test.each([
  ['a connection that broke', { code: 'CONNECTION_CLOSED' }],
  ['a statement that failed', { code: '23505' }],
  ['input that cannot be meant', {}],
])('%s says nothing of the next one', async (_, properties) => {
  const guard = new OutageGuard();
  const error = Object.assign(new Error('no'), properties);
  await expect(guard.run(() => Promise.reject(error))).rejects.toThrow('no');
  expect(await guard.run(async () => 'well')).toBe('well');
});

test('an outage deep in the causes is one', async () => {
  const guard = new OutageGuard();
  const failure = new Error('Failed query', { cause: refused() });
  await expect(guard.run(() => Promise.reject(failure))).rejects.toThrow();
  await expect(guard.run(async () => 'never')).rejects.toThrow('Failed query');
});
