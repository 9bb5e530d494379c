import { expect, test, vi } from 'vitest';
import { loggerInMemory } from '../test/logger.ts';
import { IngestionHint } from './hint.ts';

/** A sender whose hints arrive when the test says so. */
function heldSender() {
  const underWay: PromiseWithResolvers<void>[] = [];
  const send = vi.fn(() => {
    const arrival = Promise.withResolvers<void>();
    underWay.push(arrival);
    return arrival.promise;
  });
  return { send, underWay };
}

test('the first hint goes out at once, and giving it waits for nothing', () => {
  const { send } = heldSender();
  const hint = new IngestionHint(send, loggerInMemory().logger);
  hint.give();
  expect(send).toHaveBeenCalledTimes(1);
});

test('hints that are given while one is under way go out as one, behind it', async () => {
  const { send, underWay } = heldSender();
  const hint = new IngestionHint(send, loggerInMemory().logger);
  for (let given = 0; given < 100; given++) hint.give();
  expect(send).toHaveBeenCalledTimes(1);

  underWay[0]?.resolve();
  await vi.waitFor(() => expect(send).toHaveBeenCalledTimes(2));

  underWay[1]?.resolve();
  await hint.flush();
  expect(send).toHaveBeenCalledTimes(2);
});

test('a hint that is given within the quiet time is not sent at once', async () => {
  const send = vi.fn(async () => undefined);
  const hint = new IngestionHint(send, loggerInMemory().logger);
  hint.give();
  // Turns of promises alone: no time passes, and the first hint has arrived.
  for (let turn = 0; turn < 10; turn++) await null;
  hint.give();
  expect(send).toHaveBeenCalledTimes(1);
  await vi.waitFor(() => expect(send).toHaveBeenCalledTimes(2));
  await hint.flush();
});

test('flush sends at once what is still to be sent', async () => {
  const send = vi.fn(async () => undefined);
  const hint = new IngestionHint(send, loggerInMemory().logger);
  hint.give();
  hint.give();
  await hint.flush();
  expect(send).toHaveBeenCalledTimes(2);
});

test('flush has nothing to wait for when no hint was given', async () => {
  const send = vi.fn(async () => undefined);
  await new IngestionHint(send, loggerInMemory().logger).flush();
  expect(send).not.toHaveBeenCalled();
});

test.each([
  ['rejects', () => Promise.reject(new Error('connection lost'))],
  [
    'throws',
    () => {
      throw new Error('connection lost');
    },
  ],
])('a hint that %s is worth a debug line and nothing more', async (_, send) => {
  const { logger, lines } = loggerInMemory();
  const hint = new IngestionHint(send, logger);
  hint.give();
  await hint.flush();
  expect(lines).toMatchObject([{ level: 20, error: 'connection lost' }]);
});
