import type { SentPage, SentRecording } from '@segue/outbox/reconcile.ts';
import { expect, test } from 'vitest';
import { Sweep } from './sweep.ts';

const now = Date.UTC(2026, 10, 28);
const hourMs = 3_600_000;

let recordings = 0;
const sent = (hoursAgo: number): SentRecording => {
  const id = String(++recordings);
  return { id, isrc: `SWEEP${id.padStart(7, '0')}`, sentAtMs: now - hoursAgo * hourMs, isDue: hoursAgo > 26 };
};

/** A page on which so many recordings were known to be in the index. */
function page(unconfirmed: SentRecording[], { known = 0, newestHoursAgo = 1 } = {}): SentPage {
  return {
    unconfirmed,
    confirmedSample: Array.from({ length: known }, () => sent(1).isrc),
    newestConfirmedMs: known > 0 ? now - newestHoursAgo * hourMs : null,
    before: null,
  };
}

/** The index has all of a page but what is named. */
const allBut = ({ unconfirmed, confirmedSample }: SentPage, ...missing: string[]) =>
  new Map(
    [...unconfirmed.map(({ isrc }) => isrc), ...confirmedSample].map(isrc => [isrc, !missing.includes(isrc)]),
  );

test('what is missing and due is lost, the oldest first', () => {
  const sweep = new Sweep();
  const [young, late, old] = [sent(25), sent(27), sent(30)];
  const newest = page([young, late], { known: 3 });
  expect(sweep.add(newest, allBut(newest, young.isrc, late.isrc))).toEqual([]);
  const oldest = page([old]);
  sweep.add(oldest, allBut(oldest, old.isrc));
  expect(sweep.judge()).toEqual({ due: [old, late], pause: null });
});

test('what has arrived is told, and is evidence that the worker came so far', () => {
  const sweep = new Sweep();
  const [arrived, lost] = [sent(2), sent(30)];
  const only = page([arrived, lost]);
  expect(sweep.add(only, allBut(only, lost.isrc))).toEqual([arrived.isrc]);
  expect(sweep.judge()).toEqual({ due: [lost], pause: null });
});

test('nothing is missing, nothing is to be done', () => {
  const sweep = new Sweep();
  const full = page([sent(30)], { known: 10 });
  sweep.add(full, allBut(full));
  expect(sweep.judge()).toEqual({ due: [], pause: null });
});

test.each([
  ['nothing was ever seen in the index', {}],
  ['only what was sent earlier is in the index', { known: 5, newestHoursAgo: 31 }],
  ['what was sent later may have been taken first, for its priority', { known: 5, newestHoursAgo: 29.8 }],
])('the worker is behind where %s', (_, known) => {
  const sweep = new Sweep();
  const lost = sent(30);
  const only = page([lost], known);
  sweep.add(only, allBut(only, lost.isrc));
  expect(sweep.judge()).toMatchObject({ due: [], pause: { cause: 'worker_behind' } });
});

test('what was sent before the worker stood still is lost, the rest is not', () => {
  const sweep = new Sweep();
  const [waiting, lost] = [sent(27), sent(40)];
  const only = page([waiting, lost], { known: 5, newestHoursAgo: 35 });
  sweep.add(only, allBut(only, waiting.isrc, lost.isrc));
  expect(sweep.judge()).toEqual({ due: [lost], pause: null });
});

test.each<[number, string | null]>([
  [5, null],
  [6, 'index_wiped'],
  [10, 'index_wiped'],
])('of 10 recordings that were there %i are gone: %s', (gone, cause) => {
  const sweep = new Sweep();
  const lost = sent(30);
  const only = page([lost], { known: 10 });
  sweep.add(only, allBut(only, lost.isrc, ...only.confirmedSample.slice(0, gone)));
  expect(sweep.judge().pause?.cause ?? null).toBe(cause);
});

test('of very many the oldest thousand are kept', () => {
  const sweep = new Sweep();
  const evidence = page([], { known: 1 });
  sweep.add(evidence, allBut(evidence));
  const lost = Array.from({ length: 1_500 }, (_, at) => sent(27 + at / 100));
  for (let from = 0; from < lost.length; from += 500) {
    const some = page(lost.slice(from, from + 500));
    sweep.add(some, allBut(some, ...some.unconfirmed.map(({ isrc }) => isrc)));
  }
  expect(sweep.judge().due).toEqual(lost.slice(500).toReversed());
});
