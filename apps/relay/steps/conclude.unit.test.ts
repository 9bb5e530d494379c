import fc from 'fast-check';
import { expect, test } from 'vitest';
import { claimedRow, nothing, takenRow } from '../test/rows.ts';
import type { Asked } from './askIndex.ts';
import { conclude } from './conclude.ts';
import type { Deduped, TakenRow } from './dropDuplicates.ts';
import type { Sent } from './send.ts';

const outage = { kind: 'unavailable', error: 'Inngest answered 503: later' } as const;

/** What the steps have found, nothing unless it is given. */
function concluded(given: { deduped?: Partial<Deduped>; asked?: Partial<Asked>; sent?: Partial<Sent> }) {
  return conclude(
    { taken: [], duplicates: [], held: [], ...given.deduped },
    { wanted: [], indexed: [], ...given.asked },
    { accepted: [], refused: [], unsent: [], ...given.sent },
  );
}

const refusal = (row: TakenRow) => ({ row, error: 'refused', final: false });

test('no rows, no conclusion', () => {
  expect(concluded({})).toEqual(nothing);
});

test('what was accepted is scheduled, and who followed it is a duplicate', () => {
  const follower = claimedRow();
  const row = takenRow({ followers: [follower] });
  expect(concluded({ sent: { accepted: [row] } })).toEqual({
    ...nothing,
    scheduled: [row],
    duplicates: [follower],
  });
});

test('what is indexed is told apart by whether it may have been sent before; followers are indexed, too', () => {
  const follower = claimedRow();
  const fresh = takenRow({ followers: [follower] });
  const again = takenRow({ fresh: false });
  expect(concluded({ asked: { indexed: [fresh, again] } })).toEqual({
    ...nothing,
    indexedUnsent: [fresh],
    indexed: [again, follower],
  });
});

test('a forced row that followed what was accepted or indexed asks again at once, for itself', () => {
  const [first, second] = [claimedRow({ force: true }), claimedRow({ force: true })];
  const accepted = takenRow({ followers: [first, claimedRow()] });
  const indexed = takenRow({ followers: [second] });
  const { duplicates, released } = concluded({
    asked: { indexed: [indexed] },
    sent: { accepted: [accepted] },
  });
  expect(duplicates).toEqual([accepted.followers[1]]);
  expect(
    released
      .flatMap(({ rows }) => rows)
      .map(({ id }) => id)
      .sort(),
  ).toEqual([first.id, second.id].sort());
  expect(released).toMatchObject([{ delayMs: 0, error: null }]);
});

test('what was refused is refused, and who followed it asks again for itself', () => {
  const follower = claimedRow();
  const row = takenRow({ followers: [follower] });
  expect(concluded({ sent: { refused: [refusal(row)] } })).toEqual({
    ...nothing,
    refused: [refusal(row)],
    released: [{ rows: [follower], delayMs: 0, error: null }],
  });
});

test('what was not sent is handed back with its followers, and with the reason', () => {
  const follower = claimedRow();
  const row = takenRow({ followers: [follower] });
  expect(concluded({ sent: { unsent: [row], outage } })).toEqual({
    ...nothing,
    released: [{ rows: [row, follower], delayMs: 0, error: outage.error }],
  });
  expect(concluded({ sent: { unsent: [row] } }).released).toEqual([
    { rows: [row, follower], delayMs: 0, error: null },
  ]);
});

test('what is left when a batch has had all its calls rests for a second', () => {
  const row = takenRow();
  const { released } = concluded({ sent: { unsent: [row], outOfCalls: true } });
  expect(released).toEqual([{ rows: [row], delayMs: 1_000, error: null }]);
});

test('what another row holds asks again later, sooner where that is in hand, and keeps what it has to say', () => {
  const [soon, later] = [
    { ...claimedRow(), soon: true },
    { ...claimedRow(), soon: false },
  ];
  expect(concluded({ deduped: { held: [later, soon] } }).released).toEqual([
    { rows: [soon], delayMs: 100, error: null },
    { rows: [later], delayMs: 1_000, error: null },
  ]);
});

test('every row of a claim is in one place, whatever the steps have found', () => {
  const follower = fc.boolean().map(force => claimedRow({ force }));
  const leader = fc
    .record({ fresh: fc.boolean(), followers: fc.array(follower, { maxLength: 3 }) })
    .map(takenRow);
  const fate = fc.constantFrom('accepted', 'refused', 'unsent', 'indexed');
  const leaders = fc.array(fc.tuple(leader, fate), { maxLength: 12 });
  const others = fc.array(fc.boolean(), { maxLength: 6 });

  fc.assert(
    fc.property(leaders, others, fc.boolean(), (leaders, others, isOutage) => {
      const rowsOf = (fate: string) => leaders.filter(([, one]) => one === fate).map(([row]) => row);
      const duplicates = others.filter(Boolean).map(() => claimedRow());
      const held = others.filter(is => !is).map((_, place) => ({ ...claimedRow(), soon: place % 2 === 0 }));
      const taken = leaders.map(([row]) => row);

      const { scheduled, indexedUnsent, indexed, refused, released, ...rest } = conclude(
        { taken, duplicates, held },
        { wanted: taken.filter(row => !rowsOf('indexed').includes(row)), indexed: rowsOf('indexed') },
        {
          accepted: rowsOf('accepted'),
          refused: rowsOf('refused').map(refusal),
          unsent: rowsOf('unsent'),
          ...(isOutage ? { outage } : {}),
        },
      );

      const concluded = [
        ...scheduled,
        ...indexedUnsent,
        ...indexed,
        ...rest.duplicates,
        ...refused.map(({ row }) => row),
        ...released.flatMap(({ rows }) => rows),
      ].map(({ id }) => id);
      const claimed = [...taken, ...taken.flatMap(row => row.followers), ...duplicates, ...held];
      expect(concluded.sort((a, b) => a - b)).toEqual(claimed.map(({ id }) => id).sort((a, b) => a - b));
      // A forced row is never dropped in favour of another.
      expect([...rest.duplicates, ...indexed].some(row => row.force)).toBe(false);
    }),
  );
});
