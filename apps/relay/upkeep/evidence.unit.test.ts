import type { SeenPage, SentRecording } from '@segue/outbox/reconcile.ts';
import { expect, test } from 'vitest';
import { Evidence } from './evidence.ts';

const now = Date.UTC(2026, 10, 28);
const hourMs = 3_600_000;

let recordings = 0;
const sent = (hoursAgo: number): SentRecording => {
  const id = String(++recordings);
  return { id, isrc: `SWEEP${id.padStart(7, '0')}`, sentAtMs: now - hoursAgo * hourMs };
};

/** Evidence of so many recordings that were in the index, of which the first ones are gone. */
function evidenceOf({ known = 0, gone = 0, newestHoursAgo = 1 } = {}): Evidence {
  const evidence = new Evidence();
  const sample = Array.from({ length: known }, () => sent(1).isrc);
  const page: SeenPage = {
    sample,
    newestSentAtMs: known > 0 ? now - newestHoursAgo * hourMs : null,
    before: null,
  };
  evidence.add(page, new Map(sample.map((isrc, at) => [isrc, at >= gone])));
  return evidence;
}

test('what should have arrived is lost when something that was sent later has', () => {
  const overdue = [sent(30), sent(27)];
  expect(evidenceOf({ known: 3 }).judge(overdue)).toEqual({ lost: overdue, pause: null });
});

test('pages add up, and the newest of all counts', () => {
  const evidence = evidenceOf({ known: 1, newestHoursAgo: 1 });
  evidence.add(
    { sample: ['A', 'B'], newestSentAtMs: now - 40 * hourMs, before: null },
    new Map([['A', true]]),
  );
  const overdue = [sent(27)];
  expect(evidence.judge(overdue)).toEqual({ lost: overdue, pause: null });
});

test.each([
  ['nothing was ever seen in the index', {}],
  ['only what was sent earlier is in the index', { known: 5, newestHoursAgo: 31 }],
  ['what was sent later may have been taken first, for its priority', { known: 5, newestHoursAgo: 29.8 }],
])('the worker is behind where %s', (_, known) => {
  expect(evidenceOf(known).judge([sent(30)])).toMatchObject({ lost: [], pause: { cause: 'worker_behind' } });
});

test('what was sent before the worker stood still is lost, the rest is not', () => {
  const [waiting, lost] = [sent(27), sent(40)];
  expect(evidenceOf({ known: 5, newestHoursAgo: 35 }).judge([lost, waiting])).toEqual({
    lost: [lost],
    pause: null,
  });
});

test.each<[number, string | null]>([
  [5, null],
  [6, 'index_wiped'],
  [10, 'index_wiped'],
])('of 10 recordings that were there %i are gone: %s', (gone, cause) => {
  expect(evidenceOf({ known: 10, gone }).judge([sent(30)]).pause?.cause ?? null).toBe(cause);
});
