import { beforeEach, expect, test, vi } from 'vitest';
import { RecordingsInHand } from './recordingsInHand.ts';

let now = 0;
beforeEach(() => {
  now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});

const one = { isrc: 'TESTS0000001', slot: 3 };
const other = { isrc: 'TESTS0000002', slot: 3 };

test('a recording in hand is left out until it is free, however many requests of it there are', () => {
  const inHand = new RecordingsInHand();
  inHand.add([one, one, other]);
  expect(inHand.toLeaveOut()).toEqual([one.isrc, other.isrc]);
  inHand.remove([one]);
  expect(inHand.toLeaveOut()).toEqual([other.isrc]);
});

test('a slot is in hand while any of its recordings is', () => {
  const inHand = new RecordingsInHand();
  inHand.add([one, one, other]);
  inHand.remove([one, one]);
  expect(inHand.hasOfSlot(3)).toBe(true);
  inHand.remove([other]);
  expect(inHand.hasOfSlot(3)).toBe(false);
  expect(inHand.hasOfSlot(4)).toBe(false);
});

test('a recording that rests is left out for its time, in hand or not, and its slot is told then', () => {
  const inHand = new RecordingsInHand();
  inHand.rest(one, 500);
  now = 499;
  expect(inHand.endRests()).toEqual(new Set());
  expect(inHand.toLeaveOut()).toEqual([one.isrc]);
  now = 500;
  expect(inHand.endRests()).toEqual(new Set([3]));
  expect(inHand.toLeaveOut()).toEqual([]);
});
