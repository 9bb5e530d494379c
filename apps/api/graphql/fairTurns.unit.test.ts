import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FairTurns } from './fairTurns.ts';

test('a request of another user begins after one of those that wait, in whichever order they came', async () => {
  const turns = new FairTurns();
  const begun: string[] = [];
  const take = async (user: string, number: number) => {
    await turns.take(user);
    begun.push(`${user} ${number}`);
  };
  await Promise.all([
    ...[1, 2, 3].map(number => take('mallory', number)),
    ...[1, 2].map(number => take('ada', number)),
    take('eve', 1),
  ]);
  expect(begun).toEqual(['mallory 1', 'ada 1', 'eve 1', 'mallory 2', 'ada 2', 'mallory 3']);
});

/** How many of three requests have begun after each turn of the event loop, when beginning takes so many ms. */
async function begunByTurn(ms: number): Promise<number[]> {
  let now = 0;
  const turns = new FairTurns(() => now);
  let begun = 0;
  const begin = async () => {
    await turns.take('ada');
    // As a request that is read, validated and executed, with a promise between each.
    await null;
    await null;
    now += ms;
    begun++;
  };
  const all = Promise.all([begin(), begin(), begin()]);
  const seen: number[] = [];
  while (begun < 3) {
    await nextTurn();
    seen.push(begun);
  }
  await all;
  return seen;
}

test('a request that takes long to begin is the last of its turn of the event loop', async () => {
  expect(await begunByTurn(40)).toEqual([1, 2, 3]);
});

test('requests that begin quickly share a turn', async () => {
  expect(await begunByTurn(1)).toEqual([3]);
});

test('a user who comes back has to wait behind those who are there', async () => {
  const turns = new FairTurns();
  const begun: string[] = [];
  const all = ['ada', 'eve', 'bob'].map(async user => {
    await turns.take(user);
    begun.push(user);
    if (user !== 'ada') return;
    await turns.take('ada');
    begun.push('ada again');
  });
  await Promise.all(all);
  expect(begun).toEqual(['ada', 'eve', 'bob', 'ada again']);
});
