import { expect, test } from 'vitest';
import { lineUntilFailure } from './lineUntilFailure.ts';

test('work runs when all before it has ended, and none after a failure', async () => {
  const line = lineUntilFailure();
  const first = Promise.withResolvers<string>();
  const begun: string[] = [];
  const begin = (name: string, result: () => Promise<string>) =>
    line(() => {
      begun.push(name);
      return result();
    });
  const reason = new Error('away');

  const answers = Promise.allSettled([
    begin('first', () => first.promise),
    begin('second', () => Promise.reject(reason)),
    begin('third', async () => 'never'),
  ]);
  await new Promise(resolve => setImmediate(resolve));
  expect(begun).toEqual(['first']);
  first.resolve('read');
  expect(await answers).toEqual([
    { status: 'fulfilled', value: 'read' },
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ]);
  expect(begun).toEqual(['first', 'second']);
});
