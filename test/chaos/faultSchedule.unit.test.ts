import { expect, test } from 'vitest';
import { blowsOf, databaseFaults } from './faultSchedule.ts';
import { wishesOf } from './workload.ts';

const round = { seed: 7, round: 0, ms: 20_000, relays: 4, leaseMs: 2_000 };

test('the same seed makes the same run, and another one another', () => {
  const wishes = { seed: 7, rounds: 2, roundMs: 20_000 };
  expect(blowsOf(round)).toEqual(blowsOf(round));
  expect(wishesOf(wishes)).toEqual(wishesOf(wishes));
  expect(blowsOf({ ...round, seed: 8 })).not.toEqual(blowsOf(round));
  expect(blowsOf({ ...round, round: 1 })).not.toEqual(blowsOf(round));
  expect(wishesOf({ ...wishes, seed: 8 })).not.toEqual(wishesOf(wishes));
});

test('blows fall within the round, in the order of time', () => {
  const moments = blowsOf(round).map(({ atMs }) => atMs);
  expect(moments).toEqual(moments.toSorted((one, other) => one - other));
  expect(Math.min(...moments)).toBeGreaterThan(0);
  expect(Math.max(...moments)).toBeLessThan(round.ms);
});

test('nothing is spared: within an hour all kinds of blows and faults come up', () => {
  const blows = blowsOf({ ...round, ms: 3_600_000 });
  expect(new Set(blows.map(({ what }) => what)).size).toBe(11);
  const faultsOf = (service: string) =>
    new Set(blows.flatMap(blow => (blow.what === service && 'fault' in blow ? (blow.fault ?? []) : [])));
  expect(faultsOf('database')).toEqual(new Set(databaseFaults));
  expect(faultsOf('inngest').size).toBe(10);
  expect(faultsOf('qdrant').size).toBe(8);
});

test('every title that is asked for is like no other', () => {
  const { wishes, catalogue } = wishesOf({ seed: 7, rounds: 3, roundMs: 20_000 });
  const inserted = wishes.flatMap(wish => (wish.by === 'insert' ? wish.title : []));
  const titles = [...inserted, ...catalogue.tracks.map(({ title }) => title)];
  expect(new Set(titles).size).toBe(titles.length);
});
