import { describe, expect, test } from 'vitest';
import type { TakenRow } from './dropDuplicates.ts';
import { claimedRow, takenRow } from './rows.testing.ts';
import type { Sent } from './send.ts';
import { RefusalWeigher } from './weighRefusals.ts';

const rows = (count: number) => Array.from({ length: count }, () => takenRow());
const error = 'Inngest answered 400: publish failed';
const refusal = (row: TakenRow) => ({ row, error, final: false });
const sent = (given: Partial<Sent>): Sent => ({ accepted: [], refused: [], unsent: [], ...given });
const refusedAll = (all: TakenRow[]) => sent({ refused: all.map(refusal) });

describe('refusals are those of the events', () => {
  test('while they are fewer than eight in a row, and nothing else is there', () => {
    const weigher = new RefusalWeigher();
    const bad = refusedAll(rows(7));
    // However often the same rows are tried.
    for (let attempt = 0; attempt < 10; attempt++) {
      expect(weigher.weigh(bad)).toEqual({ sent: bad, resting: [] });
    }
  });

  test('however many they are, when something in the batch was accepted', () => {
    const mixed = sent({ accepted: rows(1), refused: rows(20).map(refusal) });
    expect(new RefusalWeigher().weigh(mixed)).toEqual({ sent: mixed, resting: [] });
  });

  test('when something is accepted between them', () => {
    const weigher = new RefusalWeigher();
    for (let batch = 0; batch < 10; batch++) {
      const bad = refusedAll(rows(4));
      expect(weigher.weigh(bad).sent).toEqual(bad);
      weigher.weigh(sent({ accepted: rows(1) }));
    }
  });

  test('when the rows make no valid event at all, which Inngest has not seen', () => {
    const weigher = new RefusalWeigher();
    const blank = sent({ refused: rows(20).map(row => ({ ...refusal(row), final: true })) });
    expect(weigher.weigh(blank)).toEqual({ sent: blank, resting: [] });
    const bad = refusedAll(rows(7));
    expect(weigher.weigh(bad).sent).toEqual(bad);
  });
});

describe('an Inngest that refuses everything', () => {
  test('is an outage: the rows rest with the reason, and so do their followers and what was not sent', () => {
    const follower = claimedRow();
    const [first, ...others] = [takenRow({ followers: [follower] }), ...rows(7)] as [TakenRow, ...TakenRow[]];
    const [blank, unsent] = rows(2) as [TakenRow, TakenRow];
    const final = { ...refusal(blank), final: true };
    const all = [first, ...others].map(refusal);
    const weighed = new RefusalWeigher().weigh(
      sent({ refused: [final, ...all], unsent: [unsent], outOfCalls: true }),
    );
    expect(weighed.sent).toMatchObject({
      accepted: [],
      refused: [final],
      unsent: [],
      outage: { kind: 'unavailable', error },
    });
    expect(weighed.resting).toEqual([{ rows: [first, follower, ...others, unsent], delayMs: 10_000, error }]);
  });

  test('is found out over batches of one, too, and is away until it accepts something', () => {
    const weigher = new RefusalWeigher();
    const outages = rows(12).map(row => weigher.weigh(refusedAll([row])).sent.outage !== undefined);
    expect(outages).toEqual([...Array(7).fill(false), ...Array(5).fill(true)]);

    weigher.weigh(sent({ accepted: rows(1) }));
    expect(weigher.weigh(refusedAll(rows(1))).sent.outage).toBeUndefined();
  });

  test('and then answers 503 may say how long to wait', () => {
    const outage = { kind: 'unavailable', error: 'Inngest answered 503', retryAfterMs: 7 } as const;
    const { sent: told } = new RefusalWeigher().weigh(sent({ refused: rows(8).map(refusal), outage }));
    expect(told.outage).toBe(outage);
  });
});

test('what is left of a batch that has had all its calls rests; the refusals count', () => {
  const [accepted, bad, left] = [rows(1), rows(2), rows(3)];
  const exhausted = sent({ accepted, refused: bad.map(refusal), unsent: left, outOfCalls: true });
  expect(new RefusalWeigher().weigh(exhausted)).toEqual({
    sent: { ...exhausted, unsent: [] },
    resting: [{ rows: left, delayMs: 1_000, error: null }],
  });
});

test('what is unsent for want of time or at a stop does not rest: another relay may take it at once', () => {
  const stopped = sent({ unsent: rows(3) });
  expect(new RefusalWeigher().weigh(stopped)).toEqual({ sent: stopped, resting: [] });
});
