import { claim } from '@segue/outbox/claim.ts';
import { enqueueAlbum, newRequest, useOutbox, windowMs } from '@segue/outbox/test/outbox.ts';
import { expect, test } from 'vitest';
import { nothing } from '../test/rows.ts';
import type { Conclusion } from './conclude.ts';
import { dropDuplicates, type TakenRow } from './dropDuplicates.ts';
import { type SettleOptions, settle } from './settle.ts';

const outbox = useOutbox();

/** An album's rows, each of which owns its recording. */
async function taken(count: number): Promise<{ lease: string; rows: TakenRow[] }> {
  await enqueueAlbum(
    outbox.sql,
    Array.from({ length: count }, () => newRequest()),
  );
  const { lease, rows } = await claim(outbox.sql, { limit: count, leaseMs: 60_000 });
  const { taken } = await dropDuplicates(outbox.sql, { lease, rows }, { dedupeWindowMs: windowMs });
  return { lease, rows: taken };
}

const handBack = (row: TakenRow) => ({ rows: [row], delayMs: 0, error: null });

const write = (given: Partial<Conclusion>, lease: string, insist: SettleOptions['insist'] = once => once()) =>
  settle(outbox.sql, { ...nothing, ...given }, { lease, maxAttempts: 2, dedupeWindowMs: windowMs, insist });

test('every group of a conclusion is written down, and told', async () => {
  const { lease, rows } = await taken(7);
  const [a, b, c, d, e, f, g] = rows as [
    TakenRow,
    TakenRow,
    TakenRow,
    TakenRow,
    TakenRow,
    TakenRow,
    TakenRow,
  ];
  const once = { row: f, error: 'refused once', final: false };
  const forGood = { row: g, error: 'refused for good', final: true };
  const settled = await write(
    {
      scheduled: [a, { ...b, generation: 2 }],
      indexedUnsent: [c],
      duplicates: [d],
      released: [{ ...handBack(e), error: 'Inngest is away' }],
      refused: [once, forGood],
    },
    lease,
  );
  expect(settled).toMatchObject({ indexed: [c], duplicates: [d], closed: [], lost: 0 });
  expect(settled.scheduled.map(({ id }) => id).sort()).toEqual([a.id, b.id].sort());
  expect(settled.refused).toEqual(
    expect.arrayContaining([
      { ...once, dead: false },
      { ...forGood, dead: true },
    ]),
  );

  expect(await outbox.row(b.id)).toMatchObject({ status: 'scheduled', generation: 2 });
  expect(await outbox.row(e.id)).toMatchObject({
    status: 'pending',
    last_error: 'Inngest is away',
    attempts: 0,
  });
  const retried = await outbox.row(f.id);
  expect(retried).toMatchObject({ status: 'pending', attempts: 1, last_error: 'refused once' });
  expect(retried.due_in_ms).toBeGreaterThan(0);
  expect(await outbox.row(g.id)).toMatchObject({ status: 'dead', reason: 'refused for good' });
});

test('a row that is refused for the last time is dead', async () => {
  const { lease, rows } = await taken(1);
  const [row] = rows as [TakenRow];
  const refusal = { row: { ...row, attempts: 1 }, error: 'refused again', final: false };
  expect((await write({ refused: [refusal] }, lease)).refused).toEqual([{ ...refusal, dead: true }]);
  expect(await outbox.row(row.id)).toMatchObject({ status: 'dead', reason: 'refused again' });
});

test('rows that another relay has taken over are counted, and not told as ours', async () => {
  const { lease, rows } = await taken(3);
  const [mine, ...theirs] = rows as [TakenRow, TakenRow, TakenRow];
  await outbox.sql`
    UPDATE ingestion_outbox SET lease = gen_random_uuid() WHERE id = ANY(${theirs.map(({ id }) => id)}::bigint[])`;
  expect(await write({ scheduled: rows }, lease)).toMatchObject({ scheduled: [mine], lost: 2 });
});

test('when one statement fails, all others are written and told all the same, and so is the failure', async () => {
  const { lease, rows } = await taken(3);
  const [a, b, c] = rows as [TakenRow, TakenRow, TakenRow];
  let statements = 0;
  const settled = await write(
    { scheduled: [a], duplicates: [b], released: [handBack(c)] },
    lease,
    statement => (++statements === 1 ? Promise.reject(new Error('the disk is full')) : statement()),
  );
  expect(settled).toMatchObject({
    scheduled: [],
    duplicates: [],
    released: [{ rows: [c] }],
    failure: { error: new Error('the disk is full') },
  });
  expect(await outbox.row(a.id)).toMatchObject({ status: 'in_flight' });
  expect(await outbox.row(b.id)).toMatchObject({ status: 'in_flight' });
  expect(await outbox.row(c.id)).toMatchObject({ status: 'pending' });
});

test('a settlement whose answer got lost, and that was tried again, is ours', async () => {
  const { lease, rows } = await taken(2);
  const settled = await write({ scheduled: rows }, lease, async statement => {
    await statement();
    return statement();
  });
  expect(settled.lost).toBe(0);
  expect(settled.scheduled).toHaveLength(2);
});
