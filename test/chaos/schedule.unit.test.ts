import { expect, test } from 'vitest';
import { repertoire } from './faults/repertoire.ts';
import { scheduleOf } from './schedule.ts';
import { wishesOf } from './workload.ts';

const run = { seed: 7, repertoire, rounds: 3, roundMs: 20_000 };
const told = (options: typeof run) =>
  scheduleOf(options).map(blows =>
    blows.map(({ atMs, subject, fault, random }) => [atMs, subject.name, fault?.name, random.number()]),
  );

test('the same seed makes the same run, and another one another', () => {
  const wishes = { seed: 7, rounds: 2, roundMs: 20_000 };
  expect(told(run)).toEqual(told(run));
  expect(wishesOf(wishes)).toEqual(wishesOf(wishes));
  expect(told({ ...run, seed: 8 })).not.toEqual(told(run));
  expect(wishesOf({ ...wishes, seed: 8 })).not.toEqual(wishesOf(wishes));
  const [first, second] = told(run);
  expect(second).not.toEqual(first);
});

test('blows fall within the round, in the order of time', () => {
  for (const blows of scheduleOf(run)) {
    const moments = blows.map(({ atMs }) => atMs);
    expect(moments).toEqual(moments.toSorted((one, other) => one - other));
    expect(Math.min(...moments)).toBeGreaterThan(0);
    expect(Math.max(...moments)).toBeLessThan(run.roundMs);
  }
});

test('nothing is spared: within ten minutes every fault strikes, whatever the seed', () => {
  const all = repertoire.flatMap(({ name, faults }) => faults.map(fault => `${name}: ${fault.name}`));
  for (let seed = 1; seed <= 20; seed++) {
    const blows = scheduleOf({ ...run, seed, rounds: 30 }).flat();
    const struck = blows.flatMap(({ subject, fault }) => (fault ? `${subject.name}: ${fault.name}` : []));
    expect(new Set(struck)).toEqual(new Set(all));
  }
});

test('every title that is asked for is like no other', () => {
  const { wishes, catalogue } = wishesOf({ seed: 7, rounds: 3, roundMs: 20_000 });
  const inserted = wishes.flatMap(wish => (wish.by === 'insert' ? wish.title : []));
  const titles = [...inserted, ...catalogue.tracks.map(({ title }) => title)];
  expect(new Set(titles).size).toBe(titles.length);
});
