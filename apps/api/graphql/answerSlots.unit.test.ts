import { expect, test } from 'vitest';
import { Refusal } from '../http/refusal.ts';
import { AnswerSlots, type Place } from './answerSlots.ts';

/** Room for two answers of 100, of which a user may have one. */
const slots = () => new AnswerSlots({ cost: 200, small: 10, waiting: 4, waitingOfUser: 3 });

async function hasEntered({ entered }: Place): Promise<boolean> {
  return await Promise.race([
    entered.then(() => true),
    new Promise<false>(resolve => setImmediate(resolve, false)),
  ]);
}

test('two users are answered at a time, and the third when one of them is', async () => {
  const all = slots();
  const [ada, eve, bob] = ['ada', 'eve', 'bob'].map(user => all.take(user, 100)) as [Place, Place, Place];
  expect(await Promise.all([ada, eve, bob].map(hasEntered))).toEqual([true, true, false]);
  eve.leave();
  eve.leave();
  expect(await hasEntered(bob)).toBe(true);
  expect(await hasEntered(all.take('zoe', 100))).toBe(false);
});

test('a user waits for their own answers, and holds up nobody else', async () => {
  const all = slots();
  const first = all.take('ada', 60);
  const second = all.take('ada', 60);
  expect(await hasEntered(second)).toBe(false);
  expect(await hasEntered(all.take('eve', 100))).toBe(true);
  first.leave();
  expect(await hasEntered(second)).toBe(true);
});

test('many answers that fit are made at a time; a large one is not overtaken for ever', async () => {
  const all = slots();
  const fitting = ['a', 'b', 'c'].map(user => all.take(user, 40));
  expect(await Promise.all(fitting.map(hasEntered))).toEqual([true, true, true]);
  const large = all.take('ada', 100);
  const late = all.take('eve', 40);
  expect(await Promise.all([large, late].map(hasEntered))).toEqual([false, false]);
  fitting[0]?.leave();
  expect(await Promise.all([large, late].map(hasEntered))).toEqual([true, false]);
});

test('a small answer needs no place, and one that is larger than all is made alone', async () => {
  const all = slots();
  expect(await hasEntered(all.take('ada', 1_000))).toBe(true);
  expect(await hasEntered(all.take('eve', 1_000))).toBe(true);
  expect(await hasEntered(all.take('ada', 10))).toBe(true);
});

test('who gives up in the line takes no place', async () => {
  const all = slots();
  all.take('ada', 100);
  const second = all.take('ada', 100);
  const third = all.take('ada', 100);
  second.leave();
  expect(await Promise.all([second, third].map(hasEntered))).toEqual([false, false]);
});

test('too many that wait are refused, of one user and of all', () => {
  const all = slots();
  const wait = (user: string, count: number) => Array.from({ length: count }, () => all.take(user, 100));
  const places = wait('ada', 4);
  expect(() => all.take('ada', 100)).toThrow(Refusal);
  wait('eve', 2);
  expect(() => all.take('bob', 100)).toThrow(
    expect.objectContaining({ code: 'RATE_LIMITED', statusCode: 429 }),
  );
  places.at(-1)?.leave();
  all.take('bob', 100);
});
