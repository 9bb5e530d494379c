import type { OpenRow } from '@segue/outbox/row.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openRow } from '../test/rows.ts';
import { conclude } from './conclude.ts';
import { type Batch, decide } from './decide.ts';

const noMore = { maxAttempts: 3 };

/** Where each row of a batch is, by its id. */
function placesOf({ sendings, duplicates, invalid, waiting }: Batch): string[] {
  return [
    ...sendings.flatMap(({ lead, others }) => [lead.id, ...others.map(({ id }) => id)]),
    ...duplicates.map(({ id }) => id),
    ...invalid.map(({ row }) => row.id),
    ...waiting.map(({ id }) => id),
  ];
}

/** Rows of a few recordings, with what the ledger knows of each. */
const someRows = fc
  .tuple(
    fc.array(fc.record({ generation: fc.nat(3), isSent: fc.boolean() }), { minLength: 3, maxLength: 3 }),
    fc.array(
      fc.record({
        recording: fc.nat(2),
        force: fc.boolean(),
        attempts: fc.nat(2),
        title: fc.constantFrom('So What', 'So What', 'So What', ' '),
      }),
      { maxLength: 12 },
    ),
  )
  .map(([ledger, rows]) =>
    rows.map(({ recording, ...row }) =>
      openRow({
        ...row,
        ...(ledger[recording] as { generation: number; isSent: boolean }),
        isrc: `TESTS000000${recording}` as OpenRow['isrc'],
        slot: recording,
      }),
    ),
  );

/** What the rules say of one recording's rows, in a few lines. */
function modelOf(rows: OpenRow[]) {
  const isDuplicate = (row: OpenRow) => !row.force && row.isSent;
  const isInvalid = (row: OpenRow) => !isDuplicate(row) && row.title.trim() === '';
  const fit = rows.filter(row => !isDuplicate(row) && !isInvalid(row));
  const plain = fit.filter(row => !row.force);
  const answered = plain.length > 0 ? plain : fit;
  return {
    duplicates: rows.filter(isDuplicate),
    invalid: rows.filter(isInvalid),
    answered,
    waiting: fit.filter(row => !answered.includes(row)),
  };
}

describe('random batches', () => {
  test('are decided as the rules say, and each row is in one place', () => {
    fc.assert(
      fc.property(someRows, rows => {
        const batch = decide(rows);
        expect(placesOf(batch).sort()).toEqual(rows.map(({ id }) => id).sort());
        for (const [isrc, ofRecording] of Map.groupBy(rows, row => row.isrc)) {
          const model = modelOf(ofRecording);
          const mine = (row: OpenRow) => row.isrc === isrc;
          expect(batch.duplicates.filter(mine)).toEqual(model.duplicates);
          expect(batch.invalid.map(({ row }) => row).filter(mine)).toEqual(model.invalid);
          expect(batch.waiting.filter(mine)).toEqual(model.waiting);
          const sendings = batch.sendings.filter(sending => sending.isrc === isrc);
          expect(sendings).toHaveLength(model.answered.length > 0 ? 1 : 0);
          for (const { lead, others, force, generation } of sendings) {
            expect(new Set([lead, ...others])).toEqual(new Set(model.answered));
            expect(new Set(model.answered.map(row => row.force))).toEqual(new Set([force]));
            expect(generation).toBe(lead.generation + 1);
          }
        }
      }),
    );
  });

  test('write at most one outcome a row and one note a recording, whatever each step has found', () => {
    const outcome = fc.constantFrom<Batch['sendings'][number]['outcome']>(
      { as: 'undecided' },
      { as: 'sent' },
      { as: 'indexed' },
      { as: 'refused', error: 'no' },
    );
    fc.assert(
      fc.property(someRows, fc.array(outcome, { minLength: 3, maxLength: 3 }), (rows, outcomes) => {
        const batch = decide(rows);
        batch.sendings.forEach((sending, place) => {
          sending.outcome = outcomes[place] as (typeof outcomes)[number];
        });
        const written = conclude(batch, noMore);
        const ids = written.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        const notes = written.filter(({ leads }) => leads).map(({ isrc }) => isrc);
        expect(new Set(notes).size).toBe(notes.length);
        const undecided = batch.sendings.filter(sending => sending.outcome.as === 'undecided');
        const left = [...batch.waiting, ...undecided.flatMap(({ lead, others }) => [lead, ...others])];
        for (const { id } of left) expect(ids).not.toContain(id);
      }),
    );
  });
});

test('the lead is the request that was refused most often, else the oldest', () => {
  const isrc = openRow().isrc;
  const rows = [openRow({ isrc }), openRow({ isrc, attempts: 2 }), openRow({ isrc, attempts: 1 })];
  expect(decide(rows).sendings[0]?.lead).toBe(rows[1]);
  const equals = [openRow({ isrc }), openRow({ isrc })];
  expect(decide(equals).sendings[0]?.lead).toBe(equals[0]);
});

test('a request that is too large for Inngest dies alone, with its size in the reason', () => {
  const bytes = 4 * 1024 * 1024;
  const [large, other] = [openRow({ bytes }), openRow()];
  const batch = decide([large, other]);
  expect(batch.invalid).toEqual([{ row: large, error: expect.stringContaining(`${bytes} bytes`) }]);
  expect(batch.sendings.map(({ lead }) => lead)).toEqual([other]);
});

describe('what is written down', () => {
  const isrc = openRow().isrc;
  const decided = (given: Partial<OpenRow>[], outcome: Batch['sendings'][number]['outcome']) => {
    const rows = given.map(row => openRow({ isrc, ...row }));
    const batch = decide(rows);
    const [sending] = batch.sendings;
    if (sending) sending.outcome = outcome;
    return conclude(batch, noMore).map(({ as, leads, generation }) => ({ as, leads, generation }));
  };

  test('of an event that was sent: its lead is scheduled, and the other plain requests are duplicates', () => {
    expect(decided([{ generation: 4 }, { generation: 4 }], { as: 'sent' })).toEqual([
      { as: 'sent', leads: true, generation: 5 },
      { as: 'duplicate', leads: false, generation: 5 },
    ]);
  });

  test('of a forced event that was sent: all forced requests are answered by it, those gathered as well', () => {
    const batch = decide([openRow({ isrc, force: true }), openRow({ isrc, force: true })]);
    const [sending] = batch.sendings;
    if (!sending) throw new Error('nothing is sent');
    sending.gathered = ['9007199254740993'];
    sending.outcome = { as: 'sent' };
    expect(conclude(batch, noMore).map(({ as }) => as)).toEqual(['sent', 'answered', 'answered']);
    expect(conclude(batch, noMore).at(-1)?.id).toBe('9007199254740993');
  });

  test('of a refusal: the lead waits for its next attempt, and is dead after the last', () => {
    const refused = { as: 'refused', error: 'no' } as const;
    expect(decided([{ attempts: 1 }, {}], refused)).toEqual([{ as: 'refused', leads: false, generation: 1 }]);
    expect(decided([{ attempts: 2 }, {}], refused)).toEqual([{ as: 'dead', leads: true, generation: 1 }]);
  });

  test('of requests that make no valid event: the generation stays, and one of them is noted', () => {
    expect(decided([{ title: '' }, { title: ' ' }], { as: 'undecided' })).toEqual([
      { as: 'dead', leads: true, generation: 0 },
      { as: 'dead', leads: false, generation: 0 },
    ]);
  });
});
