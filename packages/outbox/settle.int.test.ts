import { beforeEach, describe, expect, test } from 'vitest';
import type { OpenRow } from './row.ts';
import type { RowOutcome } from './settle.ts';
import { enqueueAlbum, newIsrc, newRequest, outcomeOf, TestRelay, useOutbox } from './test/outbox.ts';

const outbox = useOutbox();

let relay: TestRelay;
beforeEach(async () => {
  relay = await outbox.relay();
});

/** Stores a request and reads it. */
async function read(given: Record<string, unknown> = {}): Promise<OpenRow> {
  const [id] = await outbox.store(given);
  const row = (await relay.read()).find(row => row.id === String(id));
  if (!row) throw new Error('the request is not read');
  return row;
}

const settled = (row: OpenRow, given: Partial<RowOutcome> = {}) => relay.settle([outcomeOf(row, given)]);

/** Everything that a settlement may change. */
const everything = async () => [
  await outbox.sql`SELECT * FROM ingestion_outbox ORDER BY id`,
  await outbox.sql`SELECT * FROM ingestion_ledger ORDER BY isrc`,
  await outbox.sql`SELECT * FROM album_ingestion_batches ORDER BY id`,
];

describe('a row', () => {
  test('that was sent is scheduled, and the ledger says when, by whom and under which generation', async () => {
    const row = await read();
    expect(await settled(row)).toEqual({ lostSlots: [], unchanged: [], closed: [] });
    expect(await outbox.row(row.id)).toMatchObject({ status: 'scheduled', generation: 1, settled: true });
    expect(await outbox.ledger(row.isrc)).toMatchObject({
      outbox_id: Number(row.id),
      generation: 1,
      sent_at: expect.any(Date),
      indexed_at: null,
      dead_reason: null,
    });
  });

  test('that was answered by the event of another is scheduled, and the ledger is not touched', async () => {
    const row = await read({ force: true });
    await settled(row, { as: 'answered', leads: false, generation: 3 });
    expect(await outbox.row(row.id)).toMatchObject({ status: 'scheduled', generation: 3 });
    expect(await outbox.ledger(row.isrc)).toBe(undefined);
  });

  test('that is a duplicate is skipped, and the ledger is not touched', async () => {
    const row = await read();
    await settled(row, { as: 'duplicate', leads: false });
    expect(await outbox.row(row.id)).toMatchObject({
      status: 'skipped',
      reason: 'duplicate',
      generation: null,
      settled: true,
    });
    expect(await outbox.ledger(row.isrc)).toBe(undefined);
  });

  test('that is indexed is skipped, and the generation moves on though nothing was sent', async () => {
    const row = await read();
    await settled(row, { as: 'indexed' });
    expect(await outbox.row(row.id)).toMatchObject({ status: 'skipped', reason: 'already_indexed' });
    expect(await outbox.ledger(row.isrc)).toMatchObject({
      generation: 1,
      sent_at: null,
      indexed_at: expect.any(Date),
    });
  });

  test('that was refused waits for its next attempt, and the ledger is not touched', async () => {
    const row = await read();
    await settled(row, { as: 'refused', leads: false, error: 'bad', delayMs: 5_000 });
    const after = await outbox.row(row.id);
    expect(after).toMatchObject({ status: 'pending', attempts: 1, last_error: 'bad', settled: false });
    expect(after.due_in_ms).toBeGreaterThan(4_000);
    expect(await outbox.ledger(row.isrc)).toBe(undefined);
    expect(await relay.read()).toEqual([]);
  });

  test('that is dead says why, the generation moves on, and the next request is no duplicate', async () => {
    const row = await read({ attempts: 9 });
    await settled(row, { as: 'dead', error: 'bad' });
    expect(await outbox.row(row.id)).toMatchObject({
      status: 'dead',
      reason: 'bad',
      last_error: 'bad',
      attempts: 10,
      settled: true,
    });
    expect(await outbox.ledger(row.isrc)).toMatchObject({ generation: 1, sent_at: null, dead_reason: 'bad' });
    expect(await read({ isrc: row.isrc })).toMatchObject({ generation: 1, isSent: false });
  });
});

describe('the ledger', () => {
  test('of a recording that was sent within the window does not say that it is dead', async () => {
    const first = await read();
    await settled(first);
    const forced = await read({ isrc: first.isrc, force: true });
    await settled(forced, { as: 'dead', error: 'bad' });
    // It is the request that was sent which is looked for in the index.
    expect(await outbox.ledger(first.isrc)).toMatchObject({
      outbox_id: Number(first.id),
      generation: 2,
      dead_reason: null,
      sent_at: expect.any(Date),
    });
  });

  test('of a recording that was sent before the window names the request that died since', async () => {
    const first = await read();
    await settled(first);
    await outbox.sql`UPDATE ingestion_ledger SET sent_at = now() - interval '2 days'`;
    const second = await read({ isrc: first.isrc });
    await settled(second, { as: 'dead', error: 'bad' });
    expect(await outbox.ledger(first.isrc)).toMatchObject({
      outbox_id: Number(second.id),
      dead_reason: 'bad',
    });
  });

  test('never goes back to a generation', async () => {
    const row = await read();
    await outbox.sql`INSERT INTO ingestion_ledger (isrc, outbox_id, generation) VALUES (${row.isrc}, 1, 7)`;
    await settled(row);
    expect(await outbox.ledger(row.isrc)).toMatchObject({ generation: 7, sent_at: null });
  });

  test('forgets why a request is dead when a later one is sent', async () => {
    const row = await read();
    await settled(row, { as: 'dead', error: 'bad' });
    await settled(await read({ isrc: row.isrc }));
    expect(await outbox.ledger(row.isrc)).toMatchObject({ generation: 2, dead_reason: null });
  });
});

describe('an album', () => {
  test('is counted down, and told once, with its last row', async () => {
    await enqueueAlbum(
      outbox.sql,
      Array.from({ length: 4 }, () => newRequest()),
    );
    const [a, b, c, d] = (await relay.read()) as [OpenRow, OpenRow, OpenRow, OpenRow];
    const first = await relay.settle([
      outcomeOf(a),
      outcomeOf(b, { as: 'duplicate', leads: false }),
      outcomeOf(c, { as: 'refused', leads: false, error: 'bad', delayMs: 0 }),
    ]);
    expect(first.closed).toEqual([]);
    const last = await relay.settle([outcomeOf(c, { as: 'dead', error: 'bad' }), outcomeOf(d)]);
    expect(last.closed).toEqual([{ totalTracks: 4, scheduledCount: 2, skippedCount: 1 }]);
    expect((await relay.settle([outcomeOf(d)])).closed).toEqual([]);
  });
});

describe('a relay that is not the owner any more', () => {
  test.each<[string, (slot: number) => Promise<unknown>]>([
    [
      'since another has taken the slot',
      slot =>
        outbox.sql`UPDATE relay_slots SET owner = gen_random_uuid(), epoch = epoch + 1 WHERE slot = ${slot}`,
    ],
    ['since nobody owns it', slot => outbox.sql`UPDATE relay_slots SET owner = NULL WHERE slot = ${slot}`],
    [
      'since it has taken the slot anew meanwhile',
      slot => outbox.sql`UPDATE relay_slots SET epoch = epoch + 1 WHERE slot = ${slot}`,
    ],
  ])('%s changes nothing, and learns it', async (_, lose) => {
    const [isrc] = [newIsrc()];
    await enqueueAlbum(outbox.sql, [newRequest({ isrc }), newRequest({ isrc })]);
    const [row, other] = (await relay.read()) as [OpenRow, OpenRow];
    await lose(row.slot);
    const before = await everything();
    const settlement = await relay.settle([
      outcomeOf(row),
      outcomeOf(other, { as: 'duplicate', leads: false }),
    ]);
    expect(settlement).toEqual({ lostSlots: [row.slot], unchanged: [row.id, other.id], closed: [] });
    expect(await everything()).toEqual(before);
  });

  test('of one slot still settles the rows of its others', async () => {
    const rows = [];
    while (new Set(rows.map(({ slot }) => slot)).size < 2) rows.push(await read());
    const [lost] = rows as [OpenRow];
    await outbox.sql`UPDATE relay_slots SET owner = NULL WHERE slot = ${lost.slot}`;
    const { lostSlots } = await relay.settle(rows.map(row => outcomeOf(row)));
    expect(lostSlots).toEqual([lost.slot]);
    for (const row of rows) {
      expect((await outbox.row(row.id)).status).toBe(row.slot === lost.slot ? 'pending' : 'scheduled');
    }
  });
});

test('a slot cannot be taken over while a settlement for it is not committed', async () => {
  const row = await read();
  const successor = new TestRelay(outbox.sql);
  await outbox.during(
    transaction => relay.on(transaction).settle([outcomeOf(row)]),
    async () => {
      await outbox.sql`UPDATE relay_slots SET lease_end = now() WHERE slot <> ${row.slot}`;
      // It would be free: the lease of this slot ended a while ago for whoever asks by this lease.
      await successor.beat({ leaseMs: 1 });
      expect(successor.slots).not.toContain(row.slot);
      expect(successor.slots).not.toEqual([]);
    },
    { commit: true },
  );
  expect(await outbox.row(row.id)).toMatchObject({ status: 'scheduled' });
});

describe('rows that somebody has changed between the read and the settlement', () => {
  test('a deleted row: what was sent counts', async () => {
    const row = await read();
    await outbox.sql`DELETE FROM ingestion_outbox WHERE id = ${row.id}`;
    expect((await settled(row)).unchanged).toEqual([row.id]);
    expect(await outbox.ledger(row.isrc)).toMatchObject({ generation: 1, sent_at: expect.any(Date) });
  });

  test('a truncated outbox whose ids start over: what was sent counts, and the new row stays open', async () => {
    const row = await read();
    await outbox.sql`TRUNCATE ingestion_outbox`;
    const [id] = await outbox.store({ id: row.id });
    await settled(row);
    expect(await outbox.row(id as number)).toMatchObject({ status: 'pending' });
    expect(await outbox.ledger(row.isrc)).toMatchObject({ generation: 1 });
  });

  test('a cancelled row stays as it is', async () => {
    const row = await read();
    await outbox.sql`
      UPDATE ingestion_outbox SET status = 'skipped', reason = 'cancelled', settled_at = now() WHERE id = ${row.id}`;
    expect((await settled(row)).unchanged).toEqual([row.id]);
    expect(await outbox.row(row.id)).toMatchObject({ status: 'skipped', reason: 'cancelled' });
  });

  test('a corrected ISRC is another request, and stays open', async () => {
    const row = await read();
    const isrc = newIsrc();
    await outbox.sql`UPDATE ingestion_outbox SET isrc = ${isrc} WHERE id = ${row.id}`;
    await settled(row);
    expect(await outbox.row(row.id)).toMatchObject({ status: 'pending' });
    expect(await outbox.ledger(row.isrc)).toMatchObject({ generation: 1 });
    expect(await outbox.ledger(isrc)).toBe(undefined);
  });

  test('a row that was settled and set back is read again, and is a duplicate of what was sent', async () => {
    const row = await read();
    await settled(row);
    await outbox.sql`UPDATE ingestion_outbox SET status = 'pending', settled_at = NULL WHERE id = ${row.id}`;
    expect(await relay.read()).toMatchObject([{ id: row.id, isSent: true, generation: 1 }]);
  });

  test('a dead row that was set back is sent anew', async () => {
    const row = await read();
    await settled(row, { as: 'dead', error: 'bad' });
    await outbox.sql`UPDATE ingestion_outbox SET status = 'pending', settled_at = NULL WHERE id = ${row.id}`;
    expect(await relay.read()).toMatchObject([{ id: row.id, isSent: false, generation: 1 }]);
  });

  test('a state that cannot be is refused with a sentence', async () => {
    const row = await read();
    await settled(row);
    await expect(
      outbox.sql`UPDATE ingestion_outbox SET status = 'pending' WHERE id = ${row.id}`,
    ).rejects.toThrow('set settled_at = NULL with it');
  });
});

test('a settlement may be made twice', async () => {
  const row = await read();
  await settled(row);
  const before = (await everything())[0];
  expect(await settled(row)).toEqual({ lostSlots: [], unchanged: [row.id], closed: [] });
  expect((await everything())[0]).toEqual(before);
  expect(await outbox.ledger(row.isrc)).toMatchObject({ generation: 1 });
});

test('an id beyond 2^53 is settled as exactly that row', async () => {
  const [one, other] = ['9007199254740992', '9007199254740993'];
  await outbox.sql`
    INSERT INTO ingestion_outbox ${outbox.sql([one, other].map(id => ({ ...newRequest(), id })))}`;
  const rows = await relay.read();
  expect(rows.map(({ id }) => id).sort()).toEqual([one, other]);
  await settled(rows.find(({ id }) => id === other) as OpenRow);
  expect(await outbox.row(other as string)).toMatchObject({ status: 'scheduled' });
  expect(await outbox.row(one as string)).toMatchObject({ status: 'pending' });
});
