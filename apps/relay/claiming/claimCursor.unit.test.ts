import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { claimedRow } from '../test/rows.ts';
import { Frontier } from './claimCursor.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTime(ms);
const create = () => new Frontier({ sweepEveryMs: 1_000 });

/** A claim that finds so many rows; where it looked. */
function claim(frontier: Frontier, found: number, { takesMs = 0, limit = 1_000 } = {}) {
  const { from, also } = frontier.look(limit);
  pass(takesMs);
  const rows = Array.from({ length: found }, () => claimedRow());
  frontier.found(rows, limit);
  return { from, also, first: rows[0], last: rows.at(-1) };
}

test('the first claim looks at everything, and so do all until one finds something', () => {
  const frontier = create();
  expect([claim(frontier, 0).from, claim(frontier, 0).from, claim(frontier, 500).from]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('a claim starts a thousand rows behind the newest that was claimed', () => {
  const frontier = create();
  const claims = Array.from({ length: 6 }, () => claim(frontier, 500));
  expect(claims.map(({ from }) => from)).toEqual([
    undefined,
    claims[0]?.first,
    claims[0]?.first,
    claims[1]?.first,
    claims[2]?.first,
    claims[3]?.first,
  ]);
});

test('after a claim that finds nothing, the next looks at everything', () => {
  const frontier = create();
  claim(frontier, 500);
  expect(claim(frontier, 0).from).toBeDefined();
  expect(claim(frontier, 500).from).toBeUndefined();
  expect(claim(frontier, 500).from).toBeDefined();
});

test('but not before the last such look has had its rest; until then nothing moves', () => {
  const frontier = create();
  const { first } = claim(frontier, 500, { takesMs: 10 });
  claim(frontier, 0);
  pass(199);
  expect(claim(frontier, 0).from).toBe(first);
  pass(1);
  expect(claim(frontier, 0).from).toBeUndefined();
});

test('rows that were handed back are looked at once, when they fall due', () => {
  const frontier = create();
  const rows = Array.from({ length: 5 }, () => claimedRow());
  const ids = rows.map(row => row.id);
  const { first } = claim(frontier, 500);
  frontier.handedBack(rows.slice(3), 200);
  frontier.handedBack(rows.slice(0, 3), 100);
  frontier.handedBack([], 0);
  pass(99);
  expect(claim(frontier, 500).also).toEqual([]);
  pass(1);
  expect(claim(frontier, 500)).toMatchObject({ from: first, also: ids.slice(0, 3) });
  expect(claim(frontier, 500).also).toEqual([]);
  pass(100);
  expect(claim(frontier, 500).also).toEqual(ids.slice(3));
});

test('of rows that were handed back a claim looks at as many as it may have, the next at the others', () => {
  const frontier = create();
  const rows = Array.from({ length: 5 }, () => claimedRow());
  const ids = rows.map(row => row.id);
  frontier.handedBack(rows, 0);
  expect(claim(frontier, 3, { limit: 3 }).also).toEqual(ids.slice(0, 3));
  expect(claim(frontier, 3, { limit: 3 }).also).toEqual(ids.slice(3));
});

test('in a backlog, a claim starts where the last one has ended', () => {
  const frontier = create();
  const [one, two] = [claim(frontier, 500, { limit: 500 }), claim(frontier, 500, { limit: 500 })];
  expect(two.from).toBe(one.last);
  const { from } = claim(frontier, 499, { limit: 500 });
  expect(from).toBe(two.last);
  expect(claim(frontier, 0).from).toBe(one.first);
});

test('once in an interval a claim looks at everything', () => {
  const frontier = create();
  claim(frontier, 500);
  pass(999);
  expect(claim(frontier, 500).from).toBeDefined();
  pass(1);
  expect(claim(frontier, 500).from).toBeUndefined();
  expect(claim(frontier, 500).from).toBeDefined();
});

test('after a claim that looked at everything, claiming goes on from what that has found', () => {
  const frontier = create();
  for (let times = 0; times < 10; times++) claim(frontier, 500);
  pass(1_000);
  const { first } = claim(frontier, 3);
  expect(claim(frontier, 500).from).toBe(first);
});

test('looking at everything takes a twentieth of the time at the most', () => {
  const frontier = create();
  claim(frontier, 500, { takesMs: 100 });
  pass(1_999);
  expect(claim(frontier, 500).from).toBeDefined();
  pass(1);
  expect(claim(frontier, 500).from).toBeUndefined();
});

test('but however long it took, it comes again in time for rule R1', () => {
  const frontier = create();
  claim(frontier, 500, { takesMs: 1_000 });
  pass(2_499);
  expect(claim(frontier, 500).from).toBeDefined();
  pass(1);
  expect(claim(frontier, 500).from).toBeUndefined();
});

test('a claim that fails in the middle leaves the next to do what it was to do', () => {
  const frontier = create();
  claim(frontier, 500);
  pass(1_000);
  expect(frontier.look(1_000).from).toBeUndefined();
  expect(claim(frontier, 500).from).toBeUndefined();
});
