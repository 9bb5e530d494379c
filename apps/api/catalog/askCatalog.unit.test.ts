import { TidalApiError } from '@segue/tidal/http/error.ts';
import { expect, test } from 'vitest';
import { loggerInMemory } from '../test/logger.ts';
import { askCatalog } from './askCatalog.ts';

const { logger, lines } = loggerInMemory();
const inGoodTime = () => ({ logger, endsAt: performance.now() + 60_000 });
const retryable = { outcome: 'tidal_unavailable', retryable: true };

test('an item is found, or not', async () => {
  expect(await askCatalog(async () => ({ id: 1 }), inGoodTime())).toEqual({
    outcome: 'found',
    item: { id: 1 },
  });
  expect(await askCatalog(async () => null, inGoodTime())).toEqual({ outcome: 'not_found' });
});

test.each([true, false])("TIDAL's failure is logged, and told with retryable: %s", async retryable => {
  lines.length = 0;
  const failure = new TidalApiError('track 1: detail', { retryable, status: 500 });
  expect(await askCatalog(() => Promise.reject(failure), inGoodTime())).toEqual({
    outcome: 'tidal_unavailable',
    retryable,
  });
  expect(lines).toMatchObject([{ error: 'track 1: detail', status: 500, retryable }]);
});

test('a turn that did not come in time is told apart from a failure of TIDAL', async () => {
  lines.length = 0;
  const failure = new TidalApiError('No turn came in time', { retryable: true, status: null, unasked: true });
  const answer = await askCatalog(() => Promise.reject(failure), inGoodTime());
  expect(answer).toEqual({ ...retryable, unasked: true });
  expect(lines).toMatchObject([
    { event: 'tidal_error', msg: 'our own queue for TIDAL was longer than the time of the request' },
  ]);
});

test('what has not answered when the time is up may be asked for again', async () => {
  const never = () => new Promise<never>(() => {});
  expect(await askCatalog(never, { logger, endsAt: performance.now() + 20 })).toEqual(retryable);
});

test('when the time is up already, nothing is asked', async () => {
  const call = () => Promise.reject(new Error('asked'));
  expect(await askCatalog(call, { logger, endsAt: performance.now() })).toEqual(retryable);
});

test('a fault of our own is not taken for one of TIDAL', async () => {
  await expect(askCatalog(() => Promise.reject(new TypeError('ours')), inGoodTime())).rejects.toThrow('ours');
});
