import { describe, expect, test } from 'vitest';
import { claim } from './claim.ts';
import { release, retryLater } from './release.ts';
import { type Settlement, settle, settleDead } from './settle.ts';
import { take } from './take.ts';
import {
  asDuplicates,
  asIndexed,
  asScheduled,
  enqueueAlbum,
  newIsrc,
  newRequest,
  staleLease,
  useOutbox,
  windowMs,
} from './test/outbox.ts';

const outbox = useOutbox();

const settled = { status: 'scheduled', settled: true, last_error: null };
const idsOf = (rows: { id: number }[]) => rows.map(row => row.id);

/** Claimed rows that own their recordings. */
async function taken(...rows: Record<string, unknown>[]) {
  const claimed = await outbox.claimed(...rows);
  await take(outbox.sql, claimed.lease, claimed.rows, { dedupeWindowMs: windowMs });
  return { lease: claimed.lease, rows: claimed.rows, ids: idsOf(claimed.rows) };
}

describe('a row is settled', () => {
  test('as scheduled, with the generation that was accepted', async () => {
    const { lease, ids } = await taken({ last_error: 'Inngest was away' });
    expect(await settle(outbox.sql, lease, asScheduled(ids, 3))).toEqual({ ids, closed: [] });
    expect(await outbox.row(ids[0] as number)).toMatchObject({
      ...settled,
      reason: null,
      generation: 3,
      attempts: 0,
    });
  });

  test('as a duplicate', async () => {
    const { lease, ids } = await taken({ last_error: 'Inngest was away' });
    expect(await settle(outbox.sql, lease, asDuplicates(ids))).toEqual({ ids, closed: [] });
    expect(await outbox.row(ids[0] as number)).toMatchObject({
      ...settled,
      status: 'skipped',
      reason: 'duplicate',
      generation: null,
    });
  });

  test.each([true, false])(
    'as indexed (unsent: %s), and the ledger knows when that was seen',
    async unsent => {
      const { lease, ids, rows } = await taken({});
      expect(await settle(outbox.sql, lease, asIndexed(ids, { unsent }))).toEqual({ ids, closed: [] });
      expect(await outbox.row(ids[0] as number)).toMatchObject({
        ...settled,
        status: 'skipped',
        reason: 'already_indexed',
      });
      expect(await outbox.ledger(rows[0]?.isrc as string)).toMatchObject({
        indexed_at: expect.any(Date),
        sent_at: unsent ? null : expect.any(Date),
        generation: unsent ? 0 : 1,
      });
    },
  );

  test('as dead, with its last attempt counted and the reason for people', async () => {
    const { lease, ids, rows } = await taken({ attempts: 9 });
    expect(
      await settleDead(
        outbox.sql,
        lease,
        { id: ids[0] as number, reason: 'too large' },
        { dedupeWindowMs: windowMs },
      ),
    ).toEqual({ ids, closed: [] });
    expect(await outbox.row(ids[0] as number)).toMatchObject({
      status: 'dead',
      settled: true,
      reason: 'too large',
      last_error: 'too large',
      attempts: 10,
    });
    expect(await outbox.ledger(rows[0]?.isrc as string)).toMatchObject({ dead_reason: 'too large' });
  });
});

test('rows are settled together, and what is not among them stays in flight', async () => {
  const { lease, ids } = await taken({}, {}, {});
  const [first, second, third] = ids as [number, number, number];
  const answer = await settle(outbox.sql, lease, asScheduled([first, third], 1));
  expect(answer.ids.sort()).toEqual([first, third]);
  expect((await outbox.row(second)).status).toBe('in_flight');
});

test('nothing to settle is no error', async () => {
  expect(await settle(outbox.sql, staleLease, asScheduled([], 1))).toEqual({ ids: [], closed: [] });
});

test('a row that follows another does not speak for the recording in the ledger', async () => {
  const isrc = newIsrc();
  const { lease, ids } = await taken({ isrc }, { isrc });
  const before = await outbox.ledger(isrc);
  await settle(outbox.sql, lease, asIndexed([ids[1] as number], { unsent: true }));
  expect(await outbox.ledger(isrc)).toEqual(before);
});

type Change = (lease: string, id: number) => Promise<unknown>;
const nothing: Settlement = { ids: [], closed: [] };
const changes: [string, Change, unknown][] = [
  ['settling as scheduled', (lease, id) => settle(outbox.sql, lease, asScheduled([id], 1)), nothing],
  ['settling as duplicate', (lease, id) => settle(outbox.sql, lease, asDuplicates([id])), nothing],
  [
    'settling as indexed',
    (lease, id) => settle(outbox.sql, lease, asIndexed([id], { unsent: true })),
    nothing,
  ],
  [
    'settling as dead',
    (lease, id) => settleDead(outbox.sql, lease, { id, reason: 'refused' }, { dedupeWindowMs: windowMs }),
    nothing,
  ],
  ['releasing', (lease, id) => release(outbox.sql, lease, [id], { delayMs: 0, error: 'late' }), []],
  ['putting off', (lease, id) => retryLater(outbox.sql, lease, id, { delayMs: 0, error: 'late' }), false],
];

describe.each(changes)('%s changes nothing', (_, change, answer) => {
  /** One row of an album, claimed and taken. */
  async function albumRow() {
    await enqueueAlbum(outbox.sql, [newRequest()]);
    const { lease, rows } = await claim(outbox.sql, { limit: 1, leaseMs: 0 });
    await take(outbox.sql, lease, rows, { dedupeWindowMs: windowMs });
    return { lease, id: rows[0]?.id as number };
  }

  const everything = () => outbox.sql`
    SELECT to_jsonb(request) AS request, to_jsonb(ledger) AS ledger, to_jsonb(batch) AS batch
    FROM ingestion_outbox AS request JOIN ingestion_ledger AS ledger USING (isrc)
    JOIN album_ingestion_batches AS batch ON batch.id = request.album_batch_id`;

  test('once another relay has claimed the row', async () => {
    const { lease, id } = await albumRow();
    await claim(outbox.sql, { limit: 1, leaseMs: 60_000 });
    const before = await everything();

    expect(await change(lease, id)).toEqual(answer);
    expect(await everything()).toEqual(before);
  });

  test('while another relay claims the row', async () => {
    const { lease, id } = await albumRow();
    let late: Promise<unknown> = Promise.resolve();
    await outbox.during(
      transaction => claim(transaction, { limit: 1, leaseMs: 60_000 }),
      async () => {
        late = change(lease, id);
        await outbox.blocked(1);
      },
      { commit: true },
    );
    const before = await everything();
    expect(await late).toEqual(answer);
    expect(await everything()).toEqual(before);
  });

  test('once the row is settled, and does not count it twice', async () => {
    const { lease, id } = await albumRow();
    await settle(outbox.sql, lease, asScheduled([id], 1));
    const before = await everything();

    expect(await change(lease, id)).toEqual(answer);
    expect(await everything()).toEqual(before);
  });

  test('once the row is handed back', async () => {
    const { lease, id } = await albumRow();
    await release(outbox.sql, lease, [id], { delayMs: 60_000 });
    const before = await everything();

    expect(await change(lease, id)).toEqual(answer);
    expect(await everything()).toEqual(before);
  });
});

describe('an album', () => {
  const totals = () => outbox.sql`
    SELECT total_tracks, scheduled_count, skipped_count, dead_count FROM album_ingestion_batches ORDER BY id`;

  test('is closed by the last of its rows, and counts each kind', async () => {
    await enqueueAlbum(
      outbox.sql,
      Array.from({ length: 6 }, () => newRequest()),
    );
    const { lease, rows } = await claim(outbox.sql, { limit: 6, leaseMs: 60_000 });
    const [a, b, c, d, e, f] = idsOf(rows) as [number, number, number, number, number, number];

    expect((await settle(outbox.sql, lease, asScheduled([a, b], 1))).closed).toEqual([]);
    expect((await settle(outbox.sql, lease, asDuplicates([c]))).closed).toEqual([]);
    expect((await settle(outbox.sql, lease, asIndexed([d], { unsent: true }))).closed).toEqual([]);
    expect(
      (await settleDead(outbox.sql, lease, { id: e, reason: 'refused' }, { dedupeWindowMs: windowMs }))
        .closed,
    ).toEqual([]);
    expect((await settle(outbox.sql, lease, asScheduled([f], 1))).closed).toEqual([
      { totalTracks: 6, scheduledCount: 3, skippedCount: 2 },
    ]);
    expect(await totals()).toEqual([
      { total_tracks: 6, scheduled_count: 3, skipped_count: 2, dead_count: 1 },
    ]);
  });

  test('is closed by a dead row, too', async () => {
    await enqueueAlbum(outbox.sql, [newRequest()]);
    const { lease, rows } = await claim(outbox.sql, { limit: 1, leaseMs: 60_000 });
    expect(
      (
        await settleDead(
          outbox.sql,
          lease,
          { id: rows[0]?.id as number, reason: 'refused' },
          { dedupeWindowMs: windowMs },
        )
      ).closed,
    ).toEqual([{ totalTracks: 1, scheduledCount: 0, skippedCount: 0 }]);
  });

  test('counts exactly, and is closed once, when its rows are settled at the same time', async () => {
    const albums = 5;
    const tracks = 12;
    for (let album = 0; album < albums; album++) {
      await enqueueAlbum(
        outbox.sql,
        Array.from({ length: tracks }, () => newRequest()),
      );
    }
    const { lease, rows } = await claim(outbox.sql, { limit: albums * tracks, leaseMs: 60_000 });
    // Dealt out like cards, so that each settlement has rows of each album.
    const hands = Map.groupBy(idsOf(rows), id => id % tracks)
      .values()
      .toArray();
    const settlements = await Promise.all(
      hands.map((ids, hand) =>
        hand % 2 === 0
          ? settle(outbox.sql, lease, asScheduled(ids, 1))
          : settle(outbox.sql, lease, asDuplicates(ids)),
      ),
    );

    const whole = { totalTracks: tracks, scheduledCount: tracks / 2, skippedCount: tracks / 2 };
    expect(settlements.flatMap(({ closed }) => closed)).toEqual(Array(albums).fill(whole));
    expect(await totals()).toEqual(
      Array(albums).fill({
        total_tracks: tracks,
        scheduled_count: tracks / 2,
        skipped_count: tracks / 2,
        dead_count: 0,
      }),
    );
  });

  test('settlements that have the same albums in opposite orders do not wait for one another for ever', async () => {
    for (let album = 0; album < 3; album++) await enqueueAlbum(outbox.sql, [newRequest(), newRequest()]);
    const { lease, rows } = await claim(outbox.sql, { limit: 6, leaseMs: 60_000 });
    const [a1, a2, b1, b2, c1, c2] = idsOf(rows) as [number, number, number, number, number, number];
    let both: Promise<Settlement[]> = Promise.resolve([]);
    await outbox.during(
      transaction => transaction`
        SELECT FROM album_ingestion_batches
        WHERE id = (SELECT album_batch_id FROM ingestion_outbox WHERE id = ${b1}) FOR UPDATE`,
      async () => {
        both = Promise.all([
          settle(outbox.sql, lease, asScheduled([a1, b1, c1], 1)),
          settle(outbox.sql, lease, asScheduled([c2, b2, a2], 1)),
        ]);
        await outbox.blocked(2);
      },
    );
    expect((await both).flatMap(({ closed }) => closed)).toHaveLength(3);
  });
});
