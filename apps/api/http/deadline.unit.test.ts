import { expect, test } from 'vitest';
import { requestTime, within } from './deadline.ts';

test('what is done in time is answered', async () => {
  expect(await within(requestTime(10_000), Promise.resolve('done'))).toBe('done');
  await expect(within(requestTime(10_000), Promise.reject(new Error('wrong')))).rejects.toThrow('wrong');
});

test('what is not is given up, and says so', async () => {
  const never = new Promise<never>(() => {});
  await expect(within({ ...requestTime(40_000), endsAt: performance.now() }, never)).rejects.toMatchObject({
    code: 'REQUEST_TIMEOUT',
    message: expect.stringContaining('longer than 40000 ms'),
  });
});

test('TIDAL is waited for no longer than three quarters of it', () => {
  const { endsAt, catalogEndsAt } = requestTime(40_000);
  expect(endsAt - catalogEndsAt).toBeCloseTo(10_000);
});
