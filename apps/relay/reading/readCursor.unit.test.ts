import type { OpenRow } from '@segue/outbox/row.ts';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { openRow } from '../test/rows.ts';
import { ReadCursor } from './readCursor.ts';

let now = 0;
beforeEach(() => {
  now = 1_000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});

const moment = (second: number) => `2026-11-23 12:00:${String(second).padStart(2, '0')}+00`;
const rowsOf = (slot: number, ...seconds: number[]): OpenRow[] =>
  seconds.map(second => openRow({ slot, availableAt: moment(second) }));

/** A cursor that has swept once and found these rows. */
function after(rows: OpenRow[], { limit = 100, wasCut = false, slots = [0, 1, 2, 3] } = {}) {
  const cursor = new ReadCursor({ sweepEveryMs: 1_000 });
  cursor.found(rows, cursor.look(slots, limit), wasCut);
  return { cursor, look: () => cursor.look(slots, limit) };
}

const startsOf = ({ starts }: { starts: { slot: number; after?: { availableAt: string } | undefined }[] }) =>
  Object.fromEntries(starts.map(({ slot, after }) => [slot, after?.availableAt ?? 'beginning']));

test('the first read looks at everything', () => {
  expect(startsOf(new ReadCursor({ sweepEveryMs: 1_000 }).look([3, 5], 100))).toEqual({
    3: 'beginning',
    5: 'beginning',
  });
});

describe('while the relay keeps up', () => {
  test('a read starts at the earliest moment of the last reads, in each slot', () => {
    const { look } = after([...rowsOf(2, 30), ...rowsOf(0, 10, 20)]);
    expect(startsOf(look())).toEqual({ 0: moment(10), 1: moment(10), 2: moment(10), 3: moment(10) });
  });

  test('it forgets reads behind which a thousand rows have come', () => {
    const { cursor, look } = after(rowsOf(0, 1));
    const many = Array.from({ length: 1_000 }, () => openRow({ slot: 0, availableAt: moment(40) }));
    cursor.found(many, { starts: [], perSlot: 2_000, ticket: 2 }, false);
    expect(startsOf(look())[0]).toBe(moment(40));
  });

  test('a read that found nothing is followed by a sweep, once the last one has rested', () => {
    const { cursor, look } = after(rowsOf(0, 1));
    const second = look();
    cursor.found([], second, false);
    expect(startsOf(look())[0]).toBe('beginning');
  });
});

describe('in a backlog', () => {
  test('a slot of which there was more goes on behind its last row, and the others as before', () => {
    const { cursor, look } = after(rowsOf(3, 1), { limit: 8, wasCut: true });
    const next = look();
    expect(next.perSlot).toBe(2);
    cursor.found([...rowsOf(0, 1, 2), ...rowsOf(1, 5)], next, false);
    expect(startsOf(look())).toEqual({ 0: moment(2), 1: moment(1), 2: moment(1), 3: moment(1) });
  });

  test('a read that was cut goes on behind its last row, and the next one begins with the slot after it', () => {
    const { look } = after([...rowsOf(0, 1, 2), ...rowsOf(1, 3, 4)], { limit: 4, wasCut: true });
    const next = look();
    expect(next.starts.map(({ slot }) => slot)).toEqual([2, 3, 0, 1]);
    expect(startsOf(next)[1]).toBe(moment(4));
  });

  test('what other slots leave is given to the one that has more, and the share is equal again when a read is full', () => {
    const { cursor, look } = after(rowsOf(3, 1), { limit: 8, wasCut: true });
    cursor.found(rowsOf(0, 1, 2), look(), false);
    const storm = look();
    expect(storm.perSlot).toBe(8);
    cursor.found(rowsOf(0, 3, 4, 5, 6, 7, 8, 9, 10), storm, true);
    expect(look().perSlot).toBe(2);
  });
});

describe('a sweep', () => {
  test('comes once in the interval', () => {
    const { look } = after(rowsOf(0, 1));
    now += 999;
    expect(startsOf(look())[0]).toBe(moment(1));
    now += 1;
    expect(startsOf(look())[0]).toBe('beginning');
  });

  test('that finds nothing older leaves the next read where it would have begun', () => {
    const { cursor, look } = after(rowsOf(0, 1));
    now += 1_000;
    cursor.found(rowsOf(0, 9), look(), false);
    expect(startsOf(look())[0]).toBe(moment(1));
  });

  test('that finds older rows leaves the next read there', () => {
    const { cursor, look } = after(rowsOf(0, 5));
    now += 1_000;
    cursor.found(rowsOf(0, 2, 9), look(), false);
    expect(startsOf(look())[0]).toBe(moment(2));
  });

  test('rests for twenty times as long as it took, and never longer than 2.5 s', () => {
    const cursor = new ReadCursor({ sweepEveryMs: 100 });
    const look = cursor.look([0], 10);
    now += 60;
    cursor.found(rowsOf(0, 1), look, false);
    now += 1_199;
    expect(startsOf(cursor.look([0], 10))[0]).toBe(moment(1));
    now += 1;
    const second = cursor.look([0], 10);
    expect(startsOf(second)[0]).toBe('beginning');
    now += 10_000;
    cursor.found(rowsOf(0, 1), second, false);
    now += 2_500;
    expect(startsOf(cursor.look([0], 10))[0]).toBe('beginning');
  });
});

describe('a slot that starts over', () => {
  test('is read from its beginning once, and the others go on', () => {
    const { cursor, look } = after(rowsOf(0, 1));
    cursor.startOver([2]);
    const over = look();
    expect(startsOf(over)).toEqual({ 0: moment(1), 1: moment(1), 2: 'beginning', 3: moment(1) });
    cursor.found([], over, false);
    now -= 1;
    cursor.found(rowsOf(0, 1), look(), false);
    expect(startsOf(look())[2]).toBe(moment(1));
  });

  test('is read from its beginning by the next read, not by one that was under way', () => {
    const { cursor, look } = after(rowsOf(0, 1));
    const underWay = look();
    cursor.startOver([2]);
    cursor.found(rowsOf(0, 2), underWay, false);
    expect(startsOf(look())[2]).toBe('beginning');
  });

  test('starts over still, where the read was cut before it', () => {
    const { cursor, look } = after(rowsOf(0, 1));
    cursor.startOver([2]);
    cursor.found(rowsOf(0, 2, 3), look(), true);
    expect(startsOf(look())[2]).toBe('beginning');
  });
});
