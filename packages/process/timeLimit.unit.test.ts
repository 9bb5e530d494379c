import { expect, test } from 'vitest';
import { endAfter, within } from './timeLimit.ts';

/** Longer than any test may take. */
const forever = 3_600_000;
/** Longer than Node's timers can wait. */
const longerStill = 2 ** 40;
const never = new Promise<never>(() => undefined);

/** Work that goes on until it is ended, and fails with the reason. */
function endless(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(signal.reason);
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
  });
}

test.each([forever, longerStill])('work that is done in time is what it is, within %d ms', async ms => {
  const late = () => new Error('late');
  expect(await within(ms, Promise.resolve('done'), late)).toBe('done');
  await expect(within(ms, Promise.reject(new Error('wrong')), late)).rejects.toThrow('wrong');
  expect(await endAfter(ms, async () => 'done')).toBe('done');
  await expect(endAfter(ms, () => Promise.reject(new Error('wrong')))).rejects.toThrow('wrong');
});

test.each([1, 0, -5])('what is not done within %d ms is given up', async ms => {
  await expect(within(ms, never, () => new Error('late'))).rejects.toThrow('late');
});

test('work that fails behind its time limit ends no process', async () => {
  const work = Promise.withResolvers<never>();
  await expect(within(0, work.promise, () => new Error('late'))).rejects.toThrow('late');
  work.reject(new Error('nobody hears of it'));
});

test.each([1, 0.4, -5])('work is ended after %d ms, as AbortSignal.timeout ends it', async ms => {
  await expect(endAfter(ms, endless)).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('work is ended by the signal, too, before or after it has begun', async () => {
  const ending = new AbortController();
  const ended = endAfter(forever, endless, ending.signal);
  ending.abort(new Error('over'));
  await expect(ended).rejects.toThrow('over');
  await expect(endAfter(forever, endless, ending.signal)).rejects.toThrow('over');
});

test('what is done leaves neither a timer nor a listener behind', async () => {
  const timers = () => process.getActiveResourcesInfo().filter(resource => resource === 'Timeout').length;
  const before = timers();
  const { signal } = new AbortController();
  const listeners = { added: 0, removed: 0 };
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...listener: Parameters<typeof add>) => {
    listeners.added += 1;
    add(...listener);
  };
  signal.removeEventListener = (...listener: Parameters<typeof remove>) => {
    listeners.removed += 1;
    remove(...listener);
  };
  await endAfter(forever, async () => 'done', signal);
  await within(forever, Promise.resolve('done'), () => new Error('late'));
  expect(timers()).toBe(before);
  expect(listeners).toEqual({ added: 1, removed: 1 });
});
