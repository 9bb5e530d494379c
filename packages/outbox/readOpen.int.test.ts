import { beforeEach, describe, expect, test } from 'vitest';
import { type ReadOptions, readForced, readPlain } from './readOpen.ts';
import { longestTexts, type OpenRow } from './row.ts';
import { newIsrc, newRequest, type TestRelay, useOutbox, windowMs } from './test/outbox.ts';

const outbox = useOutbox();

let relay: TestRelay;
beforeEach(async () => {
  relay = await outbox.relay();
});

const idsOf = (rows: OpenRow[]) => rows.map(({ id }) => id);
const read = (given: Partial<ReadOptions> = {}) => relay.read(given);

/** Stores so many requests for recordings of one slot. @returns the slot and the ids, the oldest first */
async function storeInOneSlot(count: number): Promise<{ slot: number; ids: string[] }> {
  const rows = await outbox.sql<{ isrc: string; slot: number }[]>`
    SELECT isrc, slot FROM (
      SELECT 'ONESL' || lpad(n::text, 7, '0') AS isrc, recording_slot('ONESL' || lpad(n::text, 7, '0')) AS slot
      FROM generate_series(1, 2000) AS n
    ) AS recording WHERE slot = 7 LIMIT ${count}`;
  const ids: number[] = [];
  for (const { isrc } of rows) ids.push(...(await outbox.store({ isrc })));
  return { slot: 7, ids: ids.map(String) };
}

describe('a read', () => {
  test('has the open rows of the slots that are asked for, in each the oldest first', async () => {
    const { slot, ids } = await storeInOneSlot(5);
    await outbox.sql`
      UPDATE ingestion_outbox SET available_at = available_at - interval '1 hour' WHERE id = ${ids[3] as string}`;
    const [moved] = ids.splice(3, 1);
    expect(idsOf(await read({ starts: [{ slot }] }))).toEqual([moved, ...ids]);
    expect(await read({ starts: [{ slot: slot + 1 }] })).toEqual([]);
    expect(await read({ starts: [] })).toEqual([]);
  });

  test('begins behind a position', async () => {
    const { slot, ids } = await storeInOneSlot(4);
    const rows = await read({ starts: [{ slot }] });
    const after = rows[1] as OpenRow;
    expect(idsOf(await read({ starts: [{ slot, after }] }))).toEqual(ids.slice(2));
  });

  test('has no more rows than are asked for, of a slot and in all', async () => {
    const { slot } = await storeInOneSlot(6);
    for (let count = 0; count < 40; count++) await outbox.store({});
    expect(await read({ starts: [{ slot }], perSlot: 4 })).toHaveLength(4);
    expect(await read({ limit: 3 })).toHaveLength(3);
    const bySlot = Map.groupBy(await read({ perSlot: 1 }), row => row.slot);
    expect([...bySlot.values()].every(rows => rows.length === 1)).toBe(true);
  });

  test('has no more bytes than are asked for, and one row whatever it has', async () => {
    const title = 'x'.repeat(300 * 1024);
    for (let count = 0; count < 5; count++) await outbox.store({ title });
    expect(await read({ bytes: 2 * 300 * 1024 })).toHaveLength(2);
    const [row] = await read({ bytes: 1 });
    expect(row).toMatchObject({ title });
    expect(row?.bytes).toBeGreaterThan(300 * 1024);
  });

  test('has of texts that no event can hold the first characters, and their bytes', async () => {
    await outbox.store({ title: 'é'.repeat(longestTexts / 2 + 1), artist: 'A', album: 'B' });
    const [row] = await read();
    expect(row).toMatchObject({ title: 'é'.repeat(200), bytes: longestTexts + 4 });
  });

  test('of the newest has plain requests that nobody has refused, the newest first', async () => {
    const { slot, ids } = await storeInOneSlot(5);
    await outbox.sql`UPDATE ingestion_outbox SET attempts = 1 WHERE id = ${ids[4] as string}`;
    await outbox.sql`UPDATE ingestion_outbox SET force = true WHERE id = ${ids[3] as string}`;
    const newest = { starts: [{ slot }], newest: true };
    expect(idsOf(await read(newest))).toEqual([ids[2], ids[1], ids[0]]);
    expect(idsOf(await read({ ...newest, perSlot: 1 }))).toEqual([ids[2]]);
  });

  test('leaves out recordings that are in hand', async () => {
    const [isrc, other] = [newIsrc(), newIsrc()];
    await outbox.store({ isrc }, { isrc }, { isrc: other });
    expect((await read({ without: [isrc] })).map(row => row.isrc)).toEqual([other]);
  });

  test('leaves out what is settled, and what waits for its next attempt', async () => {
    const [settled, waiting, due] = await outbox.store(
      { status: 'scheduled', settled_at: new Date() },
      { available_at: new Date(Date.now() + 60_000) },
      { attempts: 3, available_at: new Date(Date.now() - 1_000) },
    );
    expect(await read()).toMatchObject([{ id: String(due), attempts: 3 }]);
    expect([settled, waiting]).not.toContain(due);
  });

  test('has nothing while sending is paused', async () => {
    await outbox.store({});
    await outbox.sql`UPDATE relay_control SET paused_at = now()`;
    try {
      expect(await read()).toEqual([]);
    } finally {
      await outbox.sql`UPDATE relay_control SET paused_at = NULL`;
    }
    expect(await read()).toHaveLength(1);
  });

  test('has rows that a relay of the former design left in flight, once they are due', async () => {
    await outbox.sql`
      INSERT INTO ingestion_outbox ${outbox.sql({ ...newRequest(), status: 'in_flight' })}`;
    expect(await read()).toHaveLength(1);
  });

  test('has all requests for a recording in one slot, however its ISRC is spelled', async () => {
    const isrc = newIsrc();
    const spelled = `isrc: ${isrc.slice(0, 2)}-${isrc.slice(2, 5)}-${isrc.slice(5, 7)}-${isrc.slice(7)}`;
    await outbox.store({ isrc }, { isrc: spelled.toLowerCase() });
    const rows = await read();
    expect(rows.map(row => row.isrc)).toEqual([isrc, isrc]);
    expect(new Set(rows.map(row => row.slot)).size).toBe(1);
  });
});

describe('what the ledger knows', () => {
  test('is read with the row', async () => {
    const [sent, old, never] = [newIsrc(), newIsrc(), newIsrc()];
    await outbox.sql`
      INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at)
      VALUES (${sent}, 1, 4, now() - interval '23 hours'), (${old}, 1, 5, now() - interval '25 hours')`;
    await outbox.store({ isrc: sent }, { isrc: old }, { isrc: never });
    const rows = await read();
    const of = (isrc: string) => rows.find(row => row.isrc === isrc);
    expect(of(sent)).toMatchObject({ generation: 4, isSent: true });
    expect(of(old)).toMatchObject({ generation: 5, isSent: false });
    expect(of(never)).toMatchObject({ generation: 0, isSent: false });
  });

  test('is no sending in a window of no length', async () => {
    const isrc = newIsrc();
    await outbox.sql`
      INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at) VALUES (${isrc}, 1, 1, now())`;
    await outbox.store({ isrc });
    expect(await read({ dedupeWindowMs: 0 })).toMatchObject([{ isSent: false }]);
    expect(await read({ dedupeWindowMs: windowMs })).toMatchObject([{ isSent: true }]);
  });
});

test('an id beyond 2^53 is read exactly', async () => {
  await outbox.sql`
    INSERT INTO ingestion_outbox ${outbox.sql({ ...newRequest(), id: '9007199254740993' })}`;
  expect(idsOf(await read())).toEqual(['9007199254740993']);
});

test.each<[string, string, (ms: number) => boolean]>([
  ['in the future', 'now() + 1 year', ms => Math.abs(ms - Date.now()) < 60_000],
  ['without an end', 'infinity', ms => Math.abs(ms - Date.now()) < 60_000],
  ['without a beginning', '-infinity', ms => ms === Date.parse('2000-01-01T00:00:00Z')],
  ['of years ago', '2019-05-06 07:08:09.123+00', ms => ms === Date.parse('2019-05-06T07:08:09.123Z')],
])('a request that was made at a moment %s has a moment that Inngest takes', async (_, moment, fits) => {
  const createdAt = moment.startsWith('now') ? new Date(Date.now() + 365 * 86_400_000).toISOString() : moment;
  await outbox.sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, created_at)
    VALUES (${newIsrc()}, 'Title', 'Artist', 'Album', ${createdAt}::text::timestamptz)`;
  const [row] = await read();
  expect(fits(row?.requestedMs as number)).toBe(true);
});

test('the forced requests for some recordings are found, the oldest first, and no others', async () => {
  const [isrc, other] = [newIsrc(), newIsrc()];
  const ids = await outbox.store(
    { isrc, force: true },
    { isrc },
    { isrc: other, force: true },
    ...Array.from({ length: 10 }, () => ({ isrc, force: true })),
    { isrc, force: true, available_at: new Date(Date.now() + 60_000) },
    { force: true },
    { isrc, force: true, status: 'scheduled', settled_at: new Date() },
  );
  // Of one transaction, so that their ids alone say which is older: by their texts, 10 would stand before 2.
  await outbox.sql`UPDATE ingestion_outbox SET available_at = now() - interval '1 second' WHERE available_at <= now()`;
  const recordings = (await read()).filter(row => row.isrc === isrc || row.isrc === other);
  expect(await readForced(outbox.sql, recordings)).toEqual(
    [0, 2, ...Array.from({ length: 10 }, (_, place) => place + 3)].map(place => ({
      id: String(ids[place]),
      isrc: place === 2 ? other : isrc,
    })),
  );
});

test('the oldest plain request for each recording is found as a read has it, and none that is a duplicate', async () => {
  const isrc = newIsrc();
  const dedupeWindowMs = 3_600_000;
  const later = { isrc, available_at: new Date(Date.now() + 60_000) };
  await outbox.store({ isrc, force: true }, later, {}, { isrc, status: 'scheduled', settled_at: new Date() });
  const slot = (await read()).find(row => row.isrc === isrc)?.slot as number;
  const find = () => readPlain(outbox.sql, [{ slot, isrc }], { dedupeWindowMs });
  expect(await find()).toEqual([]);

  const [id] = await outbox.store({ isrc }, { isrc });
  expect(await find()).toEqual((await read()).filter(row => row.id === String(id)));
  const other = newIsrc();
  await outbox.store({ isrc: other });
  const all = await read();
  expect(await readPlain(outbox.sql, all, { dedupeWindowMs })).toHaveLength(
    new Set(all.filter(({ force }) => !force).map(row => row.isrc)).size,
  );
  await outbox.sql`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at) VALUES (${isrc}, -1, 3, now() - interval '2 hours')`;
  expect(await find()).toMatchObject([{ generation: 3, isSent: false }]);
  await outbox.sql`UPDATE ingestion_ledger SET sent_at = now()`;
  expect(await find()).toEqual([]);
});

test('a recording that was given up within the dedupe window is no duplicate', async () => {
  const isrc = newIsrc();
  await outbox.store({ isrc });
  await outbox.sql`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at, dead_reason)
    VALUES (${isrc}, -1, 4, now(), 'sent 4 times, never indexed')`;
  expect((await read()).filter(row => row.isrc === isrc)).toMatchObject([{ generation: 4, isSent: false }]);
});

test('a traceparent that is none is not read whole', async () => {
  await outbox.store({ traceparent: 'x'.repeat(100_000) });
  expect((await read())[0]?.traceparent).toHaveLength(64);
});
