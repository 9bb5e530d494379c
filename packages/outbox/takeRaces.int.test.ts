import type { Sql } from '@segue/database/connection.ts';
import { describe, expect, test } from 'vitest';
import { type ClaimedRow, claim } from './claim.ts';
import { settle, settleDead } from './settle.ts';
import type { Verdict } from './take.ts';
import { asDuplicates, asIndexed, asScheduled, newIsrc, staleLease, windowMs } from './test/outbox.ts';
import { useTaking } from './test/take.ts';

const { outbox, takeAll, scheduled, wait } = useTaking();

const lock = (isrc: string) => (transaction: Sql) =>
  transaction`SELECT FROM ingestion_ledger WHERE isrc = ${isrc} FOR UPDATE`;

describe('two relays at the same moment', () => {
  const enter = (isrc: string) => (transaction: Sql) =>
    transaction`INSERT INTO ingestion_ledger (isrc, outbox_id, generation) VALUES (${isrc}, 0, 1)`;

  /**
   * Two claims, each with a row for each of the recordings and the second in reverse, are taken while somebody
   * keeps one recording from both, so that neither has an answer before both have asked.
   */
  async function takeTwice(
    isrcs: string[],
    keep: (transaction: Sql) => Promise<unknown>,
  ): Promise<Verdict[]> {
    const one = await outbox.claimed(...isrcs.map(isrc => ({ isrc })));
    const other = await outbox.claimed(...isrcs.map(isrc => ({ isrc })));
    let verdicts: Promise<Verdict[][]> = Promise.resolve([]);
    await outbox.during(keep, async () => {
      verdicts = Promise.all([takeAll(one), takeAll({ ...other, rows: other.rows.toReversed() })]);
      await outbox.blocked(2);
    });
    return (await verdicts).flat();
  }

  const kinds = (verdicts: Verdict[]) => verdicts.map(({ verdict }) => verdict).sort();

  test('of a new recording: one takes it, and holds the other', async () => {
    const isrc = newIsrc();
    const verdicts = await takeTwice([isrc], enter(isrc));
    expect(kinds(verdicts)).toEqual(['held', 'taken']);
    const taker = verdicts.find(({ verdict }) => verdict === 'taken')?.id;
    expect(verdicts).toContainEqual({ id: expect.any(Number), verdict: 'held', holder: taker, soon: true });
    expect(await outbox.ledger(isrc)).toMatchObject({ outbox_id: taker, generation: 1 });
  });

  test('of a recording that both have seen to be free: one takes it, and holds the other', async () => {
    const isrc = newIsrc();
    await scheduled(isrc);
    await wait(windowMs + 60_000);
    const verdicts = await takeTwice([isrc], lock(isrc));
    expect(kinds(verdicts)).toEqual(['held', 'taken']);
    expect(verdicts).toContainEqual(expect.objectContaining({ verdict: 'held', soon: true }));
    expect(await outbox.ledger(isrc)).toMatchObject({ generation: 2 });
  });

  test('of new recordings in opposite orders: neither waits for the other for ever', async () => {
    const isrcs = [newIsrc(), newIsrc(), newIsrc()];
    const verdicts = await takeTwice(isrcs, enter(isrcs[1] as string));
    expect(kinds(verdicts)).toEqual(['held', 'held', 'held', 'taken', 'taken', 'taken']);
  });

  test('of known recordings in opposite orders: neither waits for the other for ever', async () => {
    const isrcs = [newIsrc(), newIsrc(), newIsrc()];
    for (const isrc of isrcs) await scheduled(isrc);
    await wait(windowMs + 60_000);
    const verdicts = await takeTwice(isrcs, lock(isrcs[1] as string));
    expect(kinds(verdicts)).toEqual(['held', 'held', 'held', 'taken', 'taken', 'taken']);
  });
});

test('a settlement that came too late changes nothing of the ledger', async () => {
  const { lease, rows } = await outbox.claimed({});
  const [{ id, isrc }] = rows as [ClaimedRow];
  await takeAll({ lease, rows });
  const before = await outbox.ledger(isrc);
  await settle(outbox.sql, staleLease, asIndexed([id], { unsent: true }));
  await settleDead(outbox.sql, staleLease, { id, reason: 'refused' }, { dedupeWindowMs: windowMs });
  await settle(outbox.sql, staleLease, asDuplicates([id]));
  expect(await outbox.ledger(isrc)).toEqual(before);
});

test.each<[string, (lease: string, id: number) => Promise<unknown>]>([
  [
    'dead',
    (lease, id) => settleDead(outbox.sql, lease, { id, reason: 'refused' }, { dedupeWindowMs: windowMs }),
  ],
  ['indexed', (lease, id) => settle(outbox.sql, lease, asIndexed([id], { unsent: true }))],
  ['scheduled', (lease, id) => settle(outbox.sql, lease, asScheduled([id], 1))],
])(
  'a taking that came too late, its request %s by then, changes nothing of the ledger',
  async (_, settle) => {
    const { lease, rows } = await outbox.claimed({});
    const [{ id, isrc }] = rows as [ClaimedRow];
    await takeAll({ lease, rows });
    await settle(lease, id);
    const before = await outbox.ledger(isrc);

    expect(await takeAll({ lease, rows })).toMatchObject([{ id, verdict: 'held', holder: id }]);
    expect(await outbox.ledger(isrc)).toEqual(before);
  },
);

test('nor does one that came so late that a newer request was settled, too', async () => {
  const { lease, rows } = await outbox.claimed({ force: true });
  const [{ id, isrc }] = rows as [ClaimedRow];
  await takeAll({ lease, rows });
  await settleDead(outbox.sql, lease, { id, reason: 'refused' }, { dedupeWindowMs: windowMs });
  const newer = await outbox.claimed({ isrc });
  await takeAll(newer);
  await settleDead(
    outbox.sql,
    newer.lease,
    { id: (newer.rows[0] as ClaimedRow).id, reason: 'refused' },
    { dedupeWindowMs: windowMs },
  );
  const before = await outbox.ledger(isrc);

  expect(await takeAll({ lease, rows })).toMatchObject([{ id, verdict: 'held' }]);
  expect(await outbox.ledger(isrc)).toEqual(before);
});

test('a request that waits for the ledger is taken over by nobody meanwhile, even when its lease has ended', async () => {
  const claimed = await outbox.claimed({});
  const [{ isrc }] = claimed.rows as [ClaimedRow];
  await takeAll(claimed);
  await outbox.sql`UPDATE ingestion_outbox SET available_at = now() - interval '1 second'`;
  let late: Promise<Verdict[]> = Promise.resolve([]);
  let successor: ClaimedRow[] = [];
  await outbox.during(lock(isrc), async () => {
    late = takeAll(claimed);
    await outbox.blocked(1);
    ({ rows: successor } = await claim(outbox.sql, { limit: 1, leaseMs: 60_000 }));
  });

  expect(successor).toEqual([]);
  expect(await late).toMatchObject([{ verdict: 'taken', generation: 1 }]);
});

test('a request that a successor has taken over is not taken', async () => {
  const isrc = newIsrc();
  await scheduled(isrc);
  await wait(windowMs + 60_000);
  const claimed = await outbox.claimed({ isrc });
  await outbox.sql`UPDATE ingestion_outbox SET lease = ${staleLease} WHERE status = 'in_flight'`;
  const before = await outbox.ledger(isrc);

  expect(await takeAll(claimed)).toMatchObject([{ verdict: 'held', holder: claimed.rows[0]?.id }]);
  expect(await outbox.ledger(isrc)).toEqual(before);
});
