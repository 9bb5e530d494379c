import { describe, expect, test } from 'vitest';
import { type ClaimedRow, claim } from './claim.ts';
import { release } from './release.ts';
import { settle, settleDead } from './settle.ts';
import { asIndexed, newIsrc, staleLease, windowMs } from './test/outbox.ts';
import { useTaking } from './test/take.ts';

const { outbox, takeAll, scheduled, wait, verdictOn } = useTaking();

test('a recording that nobody asked for before is taken, as its first generation', async () => {
  const { lease, rows } = await outbox.claimed({}, {});
  expect(await takeAll({ lease, rows })).toEqual(
    rows.map(({ id }) => ({ id, verdict: 'taken', generation: 1, fresh: true })),
  );
  for (const { id, isrc } of rows) {
    expect(await outbox.ledger(isrc)).toEqual({
      outbox_id: id,
      generation: 1,
      sent_at: expect.any(Date),
      prior_sent_at: null,
      indexed_at: null,
      dead_reason: null,
    });
  }
});

test('nothing is asked where there are no rows', async () => {
  expect(await takeAll({ lease: staleLease, rows: [] })).toEqual([]);
});

describe('a recording that was sent', () => {
  test('within the window is a duplicate, and the ledger stays as it is', async () => {
    const isrc = newIsrc();
    await scheduled(isrc);
    await wait(windowMs - 60_000);
    const before = await outbox.ledger(isrc);

    expect(await verdictOn({ isrc })).toEqual({ id: expect.any(Number), verdict: 'duplicate' });
    expect(await outbox.ledger(isrc)).toEqual(before);
  });

  test('longer ago than the window is taken as the next generation', async () => {
    const isrc = newIsrc();
    await scheduled(isrc);
    await wait(windowMs + 60_000);
    const { sent_at: sentBefore } = (await outbox.ledger(isrc)) ?? {};

    const verdict = await verdictOn({ isrc });
    expect(verdict).toMatchObject({ verdict: 'taken', generation: 2, fresh: true });
    expect(await outbox.ledger(isrc)).toMatchObject({
      outbox_id: verdict?.id,
      generation: 2,
      prior_sent_at: sentBefore,
    });
  });

  test('is taken at any time by a forced request, as the next generation', async () => {
    const isrc = newIsrc();
    await scheduled(isrc);
    expect(await verdictOn({ isrc, force: true })).toMatchObject({ verdict: 'taken', generation: 2 });
  });

  test('is a duplicate still when retention has removed the request that sent it', async () => {
    const isrc = newIsrc();
    await scheduled(isrc);
    await outbox.sql`DELETE FROM ingestion_outbox`;
    expect(await verdictOn({ isrc })).toMatchObject({ verdict: 'duplicate' });

    await wait(windowMs + 60_000);
    expect(await verdictOn({ isrc })).toMatchObject({ verdict: 'taken', generation: 2 });
  });
});

describe('an open request that owns the recording', () => {
  test.each(['in_flight', 'pending'])('holds others back while it is %s, forced ones too', async status => {
    const { lease, rows } = await outbox.claimed({});
    const [owner] = rows;
    await takeAll({ lease, rows });
    await outbox.sql`UPDATE ingestion_outbox SET status = ${status}, available_at = now() + interval '1 hour'`;

    const held = { verdict: 'held', holder: owner?.id, soon: status === 'in_flight' };
    expect(await verdictOn({ isrc: owner?.isrc })).toMatchObject(held);
    expect(await verdictOn({ isrc: owner?.isrc, force: true })).toMatchObject(held);
  });

  test('is not about to be settled when the lease of whoever claimed it has ended', async () => {
    const { lease, rows } = await outbox.claimed({});
    await takeAll({ lease, rows });
    const others = await outbox.claimed({ isrc: rows[0]?.isrc });
    await outbox.sql`
      UPDATE ingestion_outbox SET available_at = now() - interval '1 second' WHERE id = ${rows[0]?.id as number}`;
    expect(await takeAll(others)).toMatchObject([{ verdict: 'held', soon: false }]);
  });

  test('keeps its generation when it comes again, and is no longer fresh', async () => {
    const isrc = newIsrc();
    await scheduled(isrc);
    const { lease, rows } = await outbox.claimed({ isrc, force: true });
    const { prior_sent_at: priorSentAt } = (await outbox.ledger(isrc)) ?? {};
    await takeAll({ lease, rows });

    for (let retry = 1; retry <= 3; retry++) {
      expect(await takeAll({ lease, rows })).toMatchObject([
        { verdict: 'taken', generation: 2, fresh: false },
      ]);
    }
    expect(await outbox.ledger(isrc)).toMatchObject({ outbox_id: rows[0]?.id, generation: 2 });
    expect((await outbox.ledger(isrc))?.prior_sent_at).not.toEqual(priorSentAt);
  });

  test('keeps its generation even when its own sending is older than the window', async () => {
    const { lease, rows } = await outbox.claimed({});
    await takeAll({ lease, rows });
    await wait(2 * windowMs);
    expect(await takeAll({ lease, rows })).toMatchObject([{ verdict: 'taken', generation: 1, fresh: false }]);
  });
});

describe('a request whose predecessor died', () => {
  test('is no duplicate, and gets the next generation', async () => {
    const { lease, rows } = await outbox.claimed({});
    const [{ id, isrc }] = rows as [ClaimedRow];
    await takeAll({ lease, rows });
    await settleDead(outbox.sql, lease, { id, reason: 'refused' }, { dedupeWindowMs: windowMs });

    expect(await outbox.ledger(isrc)).toMatchObject({ generation: 1, sent_at: null, dead_reason: 'refused' });
    expect(await verdictOn({ isrc })).toMatchObject({ verdict: 'taken', generation: 2, fresh: true });
    expect(await outbox.ledger(isrc)).toMatchObject({ dead_reason: null });
  });

  test('is a duplicate of what was sent before that', async () => {
    const isrc = newIsrc();
    await scheduled(isrc);
    const { lease, rows } = await outbox.claimed({ isrc, force: true });
    await takeAll({ lease, rows });
    await settleDead(
      outbox.sql,
      lease,
      { id: (rows[0] as ClaimedRow).id, reason: 'refused' },
      { dedupeWindowMs: windowMs },
    );

    expect(await outbox.ledger(isrc)).toMatchObject({ sent_at: expect.any(Date), dead_reason: null });
    expect(await verdictOn({ isrc })).toMatchObject({ verdict: 'duplicate' });
    expect(await verdictOn({ isrc, force: true })).toMatchObject({ verdict: 'taken', generation: 3 });
  });

  test('is no duplicate of what was sent longer ago than the window, and the ledger says what died', async () => {
    const isrc = newIsrc();
    await scheduled(isrc);
    await wait(windowMs + 60_000);
    const { lease, rows } = await outbox.claimed({ isrc });
    await takeAll({ lease, rows });
    const [{ id }] = rows as [ClaimedRow];
    await settleDead(outbox.sql, lease, { id, reason: 'refused' }, { dedupeWindowMs: windowMs });

    expect(await outbox.ledger(isrc)).toMatchObject({ sent_at: expect.any(Date), dead_reason: 'refused' });
    expect(await verdictOn({ isrc })).toMatchObject({ verdict: 'taken', generation: 3 });
  });

  test('is no duplicate either when the predecessor had been tried before', async () => {
    const { lease, rows } = await outbox.claimed({});
    const [{ id, isrc }] = rows as [ClaimedRow];
    await takeAll({ lease, rows });
    await takeAll({ lease, rows });
    await settleDead(outbox.sql, lease, { id, reason: 'refused' }, { dedupeWindowMs: windowMs });
    expect(await verdictOn({ isrc })).toMatchObject({ verdict: 'taken', generation: 2 });
  });
});

describe('a request whose predecessor found the recording in the index', () => {
  test('and had sent nothing is taken as if there had been none', async () => {
    const { lease, rows } = await outbox.claimed({});
    const [{ id, isrc }] = rows as [ClaimedRow];
    await takeAll({ lease, rows });
    await settle(outbox.sql, lease, asIndexed([id], { unsent: true }));

    expect(await outbox.ledger(isrc)).toMatchObject({ sent_at: null, indexed_at: expect.any(Date) });
    expect(await verdictOn({ isrc })).toMatchObject({ verdict: 'taken', generation: 1, fresh: true });
  });

  test('and had sent nothing leaves an earlier sending on record, to the microsecond', async () => {
    const isrc = newIsrc();
    await scheduled(isrc);
    await wait(windowMs + 60_000);
    const ledger = () =>
      outbox.sql`SELECT generation, sent_at::text FROM ingestion_ledger WHERE isrc = ${isrc}`;
    const before = await ledger();

    const { lease, rows } = await outbox.claimed({ isrc });
    await takeAll({ lease, rows });
    await settle(outbox.sql, lease, asIndexed([(rows[0] as ClaimedRow).id], { unsent: true }));
    expect(await ledger()).toEqual(before);
    expect(await verdictOn({ isrc })).toMatchObject({ verdict: 'taken', generation: 2, fresh: true });
  });

  test('and may have sent it before stays a duplicate', async () => {
    const { lease, rows } = await outbox.claimed({});
    const [{ id, isrc }] = rows as [ClaimedRow];
    await takeAll({ lease, rows });
    await settle(outbox.sql, lease, asIndexed([id], { unsent: false }));
    expect(await verdictOn({ isrc })).toMatchObject({ verdict: 'duplicate' });
  });
});

describe('several rows of one claim for one recording', () => {
  test('one takes it, the oldest, and holds the others', async () => {
    const isrc = newIsrc();
    const { lease, rows } = await outbox.claimed({ isrc }, { isrc, force: true }, { isrc });
    const [first, second, third] = rows;
    expect(await takeAll({ lease, rows })).toEqual([
      { id: first?.id, verdict: 'taken', generation: 1, fresh: true },
      { id: second?.id, verdict: 'held', holder: first?.id, soon: true },
      { id: third?.id, verdict: 'held', holder: first?.id, soon: true },
    ]);
  });

  test('of a recording that was sent: the forced one takes it, the others are duplicates', async () => {
    const isrc = newIsrc();
    await scheduled(isrc);
    const { lease, rows } = await outbox.claimed({ isrc }, { isrc, force: true }, { isrc });
    expect(await takeAll({ lease, rows })).toMatchObject([
      { verdict: 'duplicate' },
      { verdict: 'taken', generation: 2 },
      { verdict: 'duplicate' },
    ]);
  });

  test('of a recording that is free again: one takes it and holds the others', async () => {
    const isrc = newIsrc();
    await scheduled(isrc);
    await wait(windowMs + 60_000);
    const { lease, rows } = await outbox.claimed({ isrc }, { isrc });
    expect(await takeAll({ lease, rows })).toMatchObject([
      { verdict: 'taken', generation: 2 },
      { verdict: 'held', holder: rows[0]?.id },
    ]);
  });

  test('the owner takes it again before a newer one, whatever their order', async () => {
    const isrc = newIsrc();
    const { lease: first, rows: owners } = await outbox.claimed({ isrc });
    await takeAll({ lease: first, rows: owners });
    const [owner] = owners.map(row => row.id) as [number];
    await release(outbox.sql, first, [owner], { delayMs: 0 });
    await outbox.store({ isrc, force: true });
    const { lease, rows } = await claim(outbox.sql, { limit: 2, leaseMs: 60_000 });
    expect(await takeAll({ lease, rows: rows.toReversed() })).toMatchObject([
      { verdict: 'held', holder: owner },
      { verdict: 'taken', generation: 1, fresh: false },
    ]);
  });
});

test('each row has its verdict, in the order given, whatever the mixture', async () => {
  const [sent, fresh, held] = [newIsrc(), newIsrc(), newIsrc()];
  await scheduled(sent);
  await takeAll(await outbox.claimed({ isrc: held }));
  const { lease, rows } = await outbox.claimed(
    { isrc: held },
    { isrc: fresh },
    { isrc: sent },
    { isrc: fresh },
    { isrc: sent, force: true },
  );

  const shuffled = [4, 2, 0, 3, 1].map(index => rows[index] as ClaimedRow);
  const verdicts = await takeAll({ lease, rows: shuffled });
  expect(verdicts.map(({ id }) => id)).toEqual(shuffled.map(({ id }) => id));
  expect(verdicts.map(({ verdict }) => verdict)).toEqual(['taken', 'duplicate', 'held', 'held', 'taken']);
});
