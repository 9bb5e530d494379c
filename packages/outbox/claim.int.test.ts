import { connect } from '@segue/database/connection.ts';
import { createTestDatabase } from '@segue/testing/database.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { claim } from './claim.ts';
import { hourMs, newIsrc, newRequest, useOutbox } from './test/outbox.ts';

const outbox = useOutbox();

const leaseMs = 60_000;
const claimAll = (limit = 100) => claim(outbox.sql, { limit, leaseMs });
const ids = ({ rows }: { rows: { id: number }[] }) => rows.map(row => row.id);
const ago = (ms: number) => new Date(Date.now() - ms);
const ahead = (ms: number) => new Date(Date.now() + ms);

test('nothing is claimed where nothing is due', async () => {
  expect((await claimAll()).rows).toEqual([]);
});

test('nothing is claimed while sending is paused, and all of it afterwards', async () => {
  const [id] = await outbox.store({});
  await outbox.sql`UPDATE relay_control SET paused_at = now(), paused_by = 'ada', paused_reason = 'a deploy'`;
  expect((await claimAll()).rows).toEqual([]);
  expect((await claim(outbox.sql, { limit: 100, leaseMs, also: [id as number] })).rows).toEqual([]);
  await outbox.sql`UPDATE relay_control SET paused_at = NULL, paused_by = NULL, paused_reason = NULL`;
  expect(ids(await claimAll())).toEqual([id]);
});

test('a claimed row carries what an event needs', async () => {
  const isrc = newIsrc();
  const createdAt = '2026-02-03 04:05:06.789012+00';
  const [id] = await outbox.store({
    isrc,
    title: 'Title',
    artist: 'Artist',
    album: 'Album',
    artwork_url: 'https://art/1',
    priority: -7,
    force: true,
    attempts: 3,
    created_at: createdAt,
  });
  expect((await claimAll()).rows).toEqual([
    {
      id,
      isrc,
      title: 'Title',
      artist: 'Artist',
      album: 'Album',
      artworkUrl: 'https://art/1',
      priority: -7,
      force: true,
      attempts: 3,
      createdAt: expect.anything(),
    },
  ]);
});

test('the oldest rows are claimed, up to the limit, in their order', async () => {
  const [fourth, third, second, first] = await outbox.store(
    { created_at: ago(1_000) },
    { created_at: ago(2_000) },
    { created_at: ago(3_000) },
    { created_at: ago(4_000) },
  );
  expect(ids(await claimAll(2))).toEqual([first, second]);
  expect(ids(await claimAll(2))).toEqual([third, fourth]);
});

test('rows before a position are left to another claim', async () => {
  const [, second, third] = await outbox.store(
    { created_at: ago(3_000) },
    { created_at: ago(2_000) },
    { created_at: ago(1_000) },
  );
  const looked = await claim(outbox.sql, { limit: 2, leaseMs: 0 });
  const [, from] = looked.rows;
  expect(ids(await claim(outbox.sql, { limit: 100, leaseMs, from }))).toEqual([second, third]);
});

describe('rows that are looked at besides', () => {
  const moments = [ago(5_000), ago(4_000), ago(3_000), ago(2_000), ago(1_000)];
  const storeFive = () => outbox.store(...moments.map(created_at => ({ created_at })));
  /** Where a claim looks that starts at the fourth of them. */
  async function fromFourth() {
    const { rows } = await claim(outbox.sql, { limit: 4, leaseMs: 0 });
    return rows[3];
  }

  test('are claimed though they stand before the position, in their order, and within the limit', async () => {
    const [first = 0, , third = 0, fourth = 0] = await storeFive();
    const from = await fromFourth();
    const claimed = await claim(outbox.sql, { limit: 3, leaseMs, from, also: [third, first] });
    expect(ids(claimed)).toEqual([first, third, fourth]);
  });

  test('are claimed once, even where the claim would come to them anyhow', async () => {
    const [, , third = 0, fourth = 0, fifth = 0] = await storeFive();
    const from = await fromFourth();
    const claimed = await claim(outbox.sql, { limit: 5, leaseMs, from, also: [fifth, third] });
    expect(ids(claimed)).toEqual([third, fourth, fifth]);
  });

  test('are never more than the limit', async () => {
    const stored = await storeFive();
    expect(ids(await claim(outbox.sql, { limit: 2, leaseMs, also: stored }))).toHaveLength(2);
  });

  test('are left alone where they are not due, or settled, or another has them', async () => {
    const [later = 0, settled = 0, leased = 0] = await outbox.store(
      { available_at: ahead(hourMs) },
      { status: 'scheduled', settled_at: ago(1_000) },
      { status: 'in_flight', available_at: ahead(hourMs) },
    );
    const [locked = 0] = await outbox.store({});
    await outbox.during(
      transaction => transaction`SELECT FROM ingestion_outbox WHERE id = ${locked} FOR UPDATE`,
      async () => {
        const also = [later, settled, leased, locked, 987_654_321];
        expect(ids(await claim(outbox.sql, { limit: 100, leaseMs, also }))).toEqual([]);
      },
    );
  });
});

test('a position is exact to the microsecond', async () => {
  const moment = '2026-02-03 04:05:06.00000';
  const stored = await outbox.store(
    { created_at: `${moment}1+00` },
    { created_at: `${moment}2+00` },
    { created_at: `${moment}3+00` },
  );
  const [, from] = (await claim(outbox.sql, { limit: 2, leaseMs: 0 })).rows;
  expect(ids(await claim(outbox.sql, { limit: 1, leaseMs: 0, from }))).toEqual([stored[1]]);
  expect(ids(await claim(outbox.sql, { limit: 3, leaseMs, from }))).toEqual(stored.slice(1));
});

test('rows of one moment are claimed in the order in which they were written', async () => {
  const written = await outbox.sql<{ id: number }[]>`
    INSERT INTO ingestion_outbox (isrc, title, artist, album)
    SELECT 'MOMENT' || lpad(n::text, 6, '0'), 'Title', 'Artist', 'Album' FROM generate_series(1, 50) AS n
    RETURNING id`;
  expect([...ids(await claimAll(20)), ...ids(await claimAll(50))]).toEqual(written.map(row => row.id));
});

test('the order is that of the moments, however the database writes them and its clocks go back', async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const name = database.sql(new URL(database.url).pathname.slice(1));
  await database.sql`ALTER DATABASE ${name} SET DateStyle = 'German'`;
  await database.sql`ALTER DATABASE ${name} SET TimeZone = 'Europe/Berlin'`;
  const sql = connect({ url: database.url, applicationName: 'test', max: 1 });
  onTestFinished(() => sql.end());
  // In Berlin these are 02:59, 02:01 of the same night, and the second of the next month.
  const moments = ['2026-10-25 00:59:00+00', '2026-10-25 01:01:00+00', '2026-11-02 12:00:00+00'];
  for (const created_at of moments.toReversed()) {
    await sql`INSERT INTO ingestion_outbox ${sql({ ...newRequest(), created_at })}`;
  }
  const { rows } = await claim(sql, { limit: 3, leaseMs: 0 });
  expect(rows.map(({ createdAt }) => createdAt)).toEqual(moments);
  expect(ids(await claim(sql, { limit: 3, leaseMs, from: rows[1] }))).toEqual(ids({ rows: rows.slice(1) }));
});

test('a claimed row is in flight under the lease, until the lease ends, and no attempt is counted', async () => {
  const [id = 0] = await outbox.store({});
  const { lease } = await claimAll();

  const row = await outbox.row(id);
  expect(row).toMatchObject({ status: 'in_flight', lease, attempts: 0, settled: false });
  // The database's clock goes on between the claim and this look.
  expect(row.due_in_ms).toBeLessThanOrEqual(leaseMs);
  expect(row.due_in_ms).toBeGreaterThan(leaseMs - 10_000);
});

test('every claim has a lease of its own', async () => {
  await outbox.store({}, {});
  const [first, second] = [await claimAll(1), await claimAll(1)];
  expect(first.lease).not.toBe(second.lease);
});

describe('not claimed', () => {
  test('is what is to be tried later, whatever its age', async () => {
    await outbox.store({ available_at: ahead(hourMs), created_at: ago(hourMs) });
    expect((await claimAll()).rows).toEqual([]);
  });

  test('is what another relay holds', async () => {
    await outbox.store({}, {});
    await claimAll();
    expect((await claimAll()).rows).toEqual([]);
  });

  test.each(['scheduled', 'skipped', 'dead'])('is what is settled as %s', async status => {
    await outbox.store({ status, settled_at: ago(1_000) });
    expect((await claimAll()).rows).toEqual([]);
  });
});

test('a row whose lease has ended is claimed again, and its former holder owns nothing of it', async () => {
  const [id = 0] = await outbox.store({});
  const former = await claim(outbox.sql, { limit: 1, leaseMs: 0 });
  const later = await claimAll();

  expect(ids(later)).toEqual([id]);
  expect((await outbox.row(id)).lease).toBe(later.lease);
  expect(later.lease).not.toBe(former.lease);
});

test('the clock of the machine that claims means nothing', async () => {
  const [id = 0] = await outbox.store({ available_at: ahead(hourMs / 2) });
  for (const offMs of [-hourMs, hourMs]) {
    // The lease ends as long after the claim as it was asked for, and half an hour is half an hour.
    const clock = { now: Date.now };
    Date.now = () => clock.now() + offMs;
    try {
      expect((await claimAll()).rows).toEqual([]);
      await outbox.sql`UPDATE ingestion_outbox SET available_at = now()`;
      expect(ids(await claimAll())).toEqual([id]);
    } finally {
      Date.now = clock.now;
    }
    expect((await outbox.row(id)).due_in_ms).toBeGreaterThan(leaseMs - 10_000);
    expect((await outbox.row(id)).due_in_ms).toBeLessThanOrEqual(leaseMs);
    await outbox.sql`UPDATE ingestion_outbox SET status = 'pending', available_at = now() + interval '30 minutes'`;
  }
});

test('a claim does not wait for a row that somebody has locked, and takes the next', async () => {
  const [locked = 0, free] = await outbox.store({}, {});
  await outbox.during(
    transaction => transaction`SELECT FROM ingestion_outbox WHERE id = ${locked} FOR UPDATE`,
    async () => expect(ids(await claimAll(1))).toEqual([free]),
  );
  expect(ids(await claimAll())).toEqual([locked]);
});

test('claims that are made at the same time never overlap, and overlook nothing', async () => {
  const count = 2_000;
  await outbox.sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album)
    SELECT 'ROWS' || lpad(n::text, 8, '0'), 'Title', 'Artist', 'Album' FROM generate_series(1, ${count}) AS n`;
  const claimed: number[] = [];
  const drain = async () => {
    for (;;) {
      const found = ids(await claimAll(37));
      expect(found.length).toBeLessThanOrEqual(37);
      if (found.length === 0) return;
      claimed.push(...found);
    }
  };
  await Promise.all([drain(), drain(), drain(), drain()]);

  expect(new Set(claimed).size).toBe(claimed.length);
  // A claim that finds everything locked is empty while rows are left; they are there for the next.
  await drain();
  expect(claimed).toHaveLength(count);
});
