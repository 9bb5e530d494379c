import { expect, test } from 'vitest';
import { deleteClosedBatches, deleteSettledPages } from './retain.ts';
import { newIsrc, useOutbox } from './test/outbox.ts';

const outbox = useOutbox();

const dayMs = 24 * 3_600_000;
const olderThanMs = 7 * dayMs;
const daysAgo = (days: number) => new Date(Date.now() - days * dayMs);

/** Page after page, as the relay does it. */
const deleteAll = () => Array.fromAsync(deleteSettledPages(outbox.sql, { olderThanMs }));

const left = () =>
  outbox.sql`SELECT id FROM ingestion_outbox ORDER BY id`.then(rows => rows.map(row => row.id));

test.each(['scheduled', 'skipped', 'dead'])('what was %s is deleted after its time', async status => {
  const [, young] = await outbox.store(
    { status, created_at: daysAgo(9), settled_at: daysAgo(8) },
    { status, created_at: daysAgo(6), settled_at: daysAgo(6) },
  );
  await deleteAll();
  expect(await left()).toEqual([young]);
});

test.each(['pending', 'in_flight'])('what is %s stays, however old', async status => {
  const ids = await outbox.store({ status, created_at: daysAgo(1_000) });
  await deleteAll();
  expect(await left()).toEqual(ids);
});

test('what waited long and was settled lately stays, and does not hide what stands behind it', async () => {
  const old = { status: 'scheduled', created_at: daysAgo(20), settled_at: daysAgo(10) };
  const [, late] = await outbox.store(old, { ...old, settled_at: daysAgo(1) }, old);
  await deleteAll();
  expect(await left()).toEqual([late]);
});

test('deletes page after page of a thousand, and ends where rows are young', async () => {
  const store = (count: number, age: number) => outbox.sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, status, created_at, settled_at)
    SELECT 'KEPT' || lpad(n::text, 8, '0'), 'Title', 'Artist', 'Album', 'scheduled', ${daysAgo(age)}, ${daysAgo(age)}
    FROM generate_series(1, ${count}) AS n`;
  await store(2_500, 8);
  await store(3_000, 1);

  expect(await deleteAll()).toEqual([1_000, 1_000, 500, 0]);
  expect(await left()).toHaveLength(3_000);
  expect(await deleteAll()).toEqual([0]);
});

test('nothing is no error', async () => {
  expect(await deleteAll()).toEqual([0]);
});

test('the ledger stays, since a generation must never start over', async () => {
  const isrc = newIsrc();
  const [id = 0] = await outbox.store({
    isrc,
    status: 'scheduled',
    created_at: daysAgo(9),
    settled_at: daysAgo(9),
  });
  await outbox.sql`INSERT INTO ingestion_ledger (isrc, outbox_id, generation) VALUES (${isrc}, ${id}, 4)`;
  await deleteAll();
  expect(await left()).toEqual([]);
  expect(await outbox.ledger(isrc)).toMatchObject({ generation: 4 });
});

test('the counts of an album go when it is closed and old, and not before', async () => {
  const [oldOpen, , youngClosed] = await outbox.sql`
    INSERT INTO album_ingestion_batches (created_at, total_tracks, scheduled_count, skipped_count, dead_count)
    VALUES (${daysAgo(9)}, 4, 1, 1, 1), (${daysAgo(9)}, 4, 2, 1, 1), (${daysAgo(1)}, 4, 2, 1, 1)
    RETURNING id`;
  expect(await deleteClosedBatches(outbox.sql, { olderThanMs })).toBe(1);
  expect(await outbox.sql`SELECT id FROM album_ingestion_batches ORDER BY id`).toEqual([
    oldOpen,
    youngClosed,
  ]);
});

test.each(['-5', '9007199254740993', '9223372036854775807'])(
  'a row whose id is %s is looked at once',
  async id => {
    await outbox.sql`
    INSERT INTO ingestion_outbox (id, isrc, title, artist, album, status, created_at, settled_at)
    VALUES (${id}::bigint, ${newIsrc()}, 'Title', 'Artist', 'Album', 'scheduled', ${daysAgo(9)}, ${daysAgo(8)}),
      (${id}::bigint - 1, ${newIsrc()}, 'Title', 'Artist', 'Album', 'pending', ${daysAgo(9)}, NULL)`;
    expect(await deleteAll()).toEqual([1, 0]);
  },
);
