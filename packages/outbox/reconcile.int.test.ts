import { randomUUID } from 'node:crypto';
import type { Queryable } from '@segue/database/connection.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { confirmIndexed } from './confirm.ts';
import {
  holdReconciliation,
  notePause,
  readOverdue,
  readSeen,
  releaseReconciliation,
  type SentRecording,
  sendAnew,
} from './reconcile.ts';
import { newRequest } from './test/outbox.ts';

const hourMs = 3_600_000;
const afterMs = 26 * hourMs;
const leaseMs = 30_000;

const database = useDatabase();
const holder = randomUUID();
beforeEach(async () => {
  await database.sql`TRUNCATE ingestion_outbox, ingestion_ledger, ingestion_reconciled, album_ingestion_batches`;
  await database.sql`UPDATE relay_control SET paused_at = NULL`;
  await database.sql`
    UPDATE relay_reconciliation SET holder = NULL, lease_end = '-infinity', recent = '{}', paused_cause = NULL, paused_at = NULL`;
  await holdReconciliation(database.sql, { holder, leaseMs });
});

type Given = { hoursAgo?: number; indexedHoursAgo?: number; generation?: number; status?: string };

/** A recording that was sent, and the request that did it. */
async function sent({
  hoursAgo = 27,
  indexedHoursAgo,
  generation = 1,
  status = 'scheduled',
}: Given = {}): Promise<SentRecording> {
  const request = newRequest({ artworkUrl: 'https://example.com/a.jpg' });
  const { artworkUrl, ...rest } = request;
  const now = Date.now();
  const ago = (hours: number) => new Date(now - hours * hourMs);
  const row = {
    ...rest,
    artwork_url: artworkUrl,
    status,
    created_at: ago(hoursAgo),
    settled_at: ago(hoursAgo),
    generation,
  };
  const [{ id }] = await database.sql<[{ id: number }]>`
    INSERT INTO ingestion_outbox ${database.sql(row)} RETURNING id`;
  const entry = {
    isrc: request.isrc,
    outbox_id: id,
    generation,
    sent_at: ago(hoursAgo),
    indexed_at: indexedHoursAgo === undefined ? null : ago(indexedHoursAgo),
  };
  await database.sql`INSERT INTO ingestion_ledger ${database.sql(entry)}`;
  return { id: String(id), isrc: request.isrc, sentAtMs: ago(hoursAgo).getTime() };
}

const reconcile = (lost: SentRecording[], given: Partial<Parameters<typeof sendAnew>[2]> = {}) =>
  sendAnew(database.sql, lost, { holder, afterMs, limit: 3, perMinute: 10, ...given });
const open = () => database.sql`
  SELECT isrc, title, artist, album, artwork_url, priority, force FROM ingestion_outbox WHERE settled_at IS NULL ORDER BY id`;
const readSeenFrom = (before: string | null = null, db: Queryable = database.sql) => readSeen(db, { before });
const overdueOf = async (...given: SentRecording[]) => {
  const rows = await readOverdue(
    database.sql,
    given.map(({ isrc }) => isrc),
    { afterMs },
  );
  return rows.map(({ isrc }) => isrc);
};

/** Lets a row of another recording have the id of the request, as after a TRUNCATE that restarts the ids. */
async function reuseId({ id }: SentRecording): Promise<SentRecording> {
  const other = await sent();
  await database.sql`DELETE FROM ingestion_outbox WHERE id = ${id}`;
  await database.sql`UPDATE ingestion_outbox SET id = ${id} WHERE id = ${other.id}`;
  await database.sql`UPDATE ingestion_ledger SET outbox_id = ${id} WHERE isrc = ${other.isrc}`;
  return { ...other, id };
}

/** What became of a recording that nobody looks for. */
const otherwise: [string, () => Promise<SentRecording>][] = [
  ['was skipped', () => sent({ status: 'skipped' })],
  ['is dead', () => sent({ status: 'dead' })],
  [
    'was sent by a later request since',
    async () => {
      const recording = await sent();
      await database.sql`UPDATE ingestion_ledger SET outbox_id = -1 WHERE isrc = ${recording.isrc}`;
      return recording;
    },
  ],
  [
    'has lost its request, whose id another recording’s has now',
    async () => {
      const recording = await sent();
      await reuseId(recording);
      return recording;
    },
  ],
  [
    'is requested anew already',
    async () => {
      const recording = await sent();
      await database.sql`UPDATE ingestion_ledger SET sent_at = NULL WHERE isrc = ${recording.isrc}`;
      return recording;
    },
  ],
];

describe('readOverdue', () => {
  test('tells what should be in the index and was not seen, the oldest first', async () => {
    const [late, young, known] = [
      await sent(),
      await sent({ hoursAgo: 25 }),
      await sent({ indexedHoursAgo: 2 }),
    ];
    const seenBefore = await sent({ hoursAgo: 28, indexedHoursAgo: 90 });
    expect(await overdueOf(late, young, known, seenBefore)).toEqual([seenBefore.isrc, late.isrc]);
    const [first] = await readOverdue(database.sql, [late.isrc], { afterMs });
    expect(first).toEqual({ ...late, sentAtMs: expect.closeTo(late.sentAtMs, 0) });
  });

  test('gives a recording time from its settlement on, when that came late', async () => {
    const late = await sent();
    await database.sql`UPDATE ingestion_outbox SET settled_at = now()`;
    expect(await overdueOf(late)).toEqual([]);
  });

  test.each(otherwise)('leaves out what %s', async (_, make) => {
    expect(await overdueOf(await make())).toEqual([]);
  });
});

describe('readSeen', () => {
  test('tells what was seen in the index since it was sent', async () => {
    await sent();
    const known = await sent({ hoursAgo: 3, indexedHoursAgo: 2 });
    await sent({ hoursAgo: 27, indexedHoursAgo: 90 });
    const page = await readSeenFrom();
    expect(page).toEqual({
      sample: [known.isrc],
      newestSentAtMs: expect.closeTo(known.sentAtMs, 0),
      before: null,
    });
  });

  test.each(otherwise)('leaves out what %s', async (_, make) => {
    const { isrc } = await make();
    await database.sql`UPDATE ingestion_ledger SET indexed_at = now() WHERE isrc = ${isrc}`;
    expect(await readSeenFrom()).toMatchObject({ sample: [], newestSentAtMs: null });
  });

  test('reads page by page, to the oldest request', async () => {
    await database.sql`
      INSERT INTO ingestion_outbox (isrc, title, artist, album, status, settled_at)
      SELECT 'PAGED' || lpad(n::text, 7, '0'), 'a', 'b', 'c', 'scheduled', now() FROM generate_series(1, 700) AS n`;
    await database.sql`
      INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at, indexed_at)
      SELECT isrc, id, 1, now(), now() FROM ingestion_outbox`;
    const first = await readSeenFrom();
    const second = await readSeenFrom(first.before);
    expect([first.sample.length, second.sample.length, second.before]).toEqual([10, 10, null]);
    expect(second.sample.filter(isrc => first.sample.includes(isrc))).toEqual([]);
  });
});

describe('sendAnew', () => {
  test('makes a request that is no duplicate and gets the next generation', async () => {
    const lost = await sent({ generation: 4 });
    expect(await reconcile([lost])).toEqual({
      sentAnew: [{ isrc: lost.isrc, title: 'So What', times: 2 }],
      neverIndexed: [],
    });
    expect(await open()).toEqual([
      {
        isrc: lost.isrc,
        title: 'So What',
        artist: 'Miles Davis',
        album: 'Kind of Blue',
        artwork_url: 'https://example.com/a.jpg',
        priority: -600,
        force: false,
      },
    ]);
    const ledger =
      await database.sql`SELECT sent_at, generation FROM ingestion_ledger WHERE isrc = ${lost.isrc}`;
    expect(ledger).toEqual([{ sent_at: null, generation: 4 }]);
  });

  test('does nothing for a recording twice', async () => {
    const lost = await sent();
    await reconcile([lost]);
    expect(await reconcile([lost])).toEqual({ sentAnew: [], neverIndexed: [] });
  });

  test('gives a recording up that was sent anew as often as allowed', async () => {
    const lost = await sent();
    await database.sql`INSERT INTO ingestion_reconciled (isrc, times) VALUES (${lost.isrc}, 3)`;
    expect(await reconcile([lost])).toEqual({
      sentAnew: [],
      neverIndexed: [{ isrc: lost.isrc, title: 'So What', times: 4 }],
    });
    expect(await open()).toEqual([]);
    const reason = 'sent 4 times, never indexed';
    expect(await database.sql`SELECT status, reason, last_error FROM ingestion_outbox`).toEqual([
      { status: 'dead', reason, last_error: reason },
    ]);
    expect(await database.sql`SELECT dead_reason FROM ingestion_ledger`).toEqual([{ dead_reason: reason }]);
    expect(await database.sql`SELECT FROM ingestion_reconciled`).toHaveLength(0);
  });

  test('corrects the counts of the album whose request it gives up', async () => {
    const lost = await sent();
    const [{ id }] = await database.sql<[{ id: number }]>`
      INSERT INTO album_ingestion_batches (total_tracks, scheduled_count, skipped_count) VALUES (3, 2, 1) RETURNING id`;
    await database.sql`UPDATE ingestion_outbox SET album_batch_id = ${id}`;
    await reconcile([lost], { limit: 0 });
    expect(
      await database.sql`SELECT scheduled_count, skipped_count, dead_count FROM album_ingestion_batches`,
    ).toEqual([{ scheduled_count: 1, skipped_count: 1, dead_count: 1 }]);
  });

  test('counts from the beginning when the recording was seen in the index', async () => {
    const lost = await sent();
    await database.sql`INSERT INTO ingestion_reconciled (isrc, times) VALUES (${lost.isrc}, 3)`;
    await confirmIndexed(database.sql, [lost.isrc]);
    expect(await database.sql`SELECT FROM ingestion_reconciled`).toHaveLength(0);
  });

  test('sends no more in a minute than it may, over all relays, and goes on in the next', async () => {
    const lost = [await sent(), await sent(), await sent()];
    expect((await reconcile(lost, { perMinute: 2 })).sentAnew).toHaveLength(2);
    const other = randomUUID();
    await releaseReconciliation(database.sql, holder);
    await holdReconciliation(database.sql, { holder: other, leaseMs });
    expect((await reconcile(lost, { perMinute: 2, holder: other })).sentAnew).toEqual([]);
    await database.sql`
      UPDATE relay_reconciliation SET recent = ARRAY(SELECT at - interval '1 minute' FROM unnest(recent) AS at)`;
    expect((await reconcile(lost, { perMinute: 2, holder: other })).sentAnew).toHaveLength(1);
  });

  test('sends the first of those given first', async () => {
    const [one, two] = [await sent(), await sent()];
    expect((await reconcile([two, one], { perMinute: 1 })).sentAnew).toMatchObject([{ isrc: two.isrc }]);
  });

  test.each<[string, (lost: SentRecording) => Promise<unknown>]>([
    ['the turn is over', () => database.sql`UPDATE relay_reconciliation SET lease_end = now()`],
    [
      'another relay has the turn',
      () => database.sql`UPDATE relay_reconciliation SET holder = ${randomUUID()}`,
    ],
    ['sending is paused', () => database.sql`UPDATE relay_control SET paused_at = now()`],
    [
      'other requests wait',
      () =>
        database.sql`
          INSERT INTO ingestion_outbox ${database.sql({ ...newRequest(), created_at: new Date(Date.now() - 60_000) })}`,
    ],
    ['it was seen in the index meanwhile', lost => confirmIndexed(database.sql, [lost.isrc])],
    ['it was sent meanwhile', () => database.sql`UPDATE ingestion_ledger SET sent_at = now()`],
    ['another request has sent it meanwhile', () => database.sql`UPDATE ingestion_ledger SET outbox_id = -1`],
    ['its request was deleted meanwhile', () => database.sql`DELETE FROM ingestion_outbox`],
  ])('sends nothing when %s', async (_, make) => {
    const lost = await sent();
    await make(lost);
    const ledger = () => database.sql`SELECT * FROM ingestion_ledger`;
    const before = await ledger();
    expect(await reconcile([lost])).toEqual({ sentAnew: [], neverIndexed: [] });
    expect(await ledger()).toEqual(before);
  });

  test.each([{ limit: 3 }, { limit: 0 }])(
    'leaves a recording alone whose request has an id of before, %o',
    async given => {
      const lost = await sent();
      const other = await reuseId(lost);
      expect(await reconcile([lost], given)).toEqual({ sentAnew: [], neverIndexed: [] });
      expect(await database.sql`SELECT isrc, status FROM ingestion_outbox`).toEqual([
        { isrc: other.isrc, status: 'scheduled' },
      ]);
      const ledger =
        await database.sql`SELECT sent_at, dead_reason FROM ingestion_ledger WHERE isrc = ${lost.isrc}`;
      expect(ledger).toEqual([{ sent_at: expect.any(Date), dead_reason: null }]);
    },
  );
});

describe('the turn', () => {
  const other = randomUUID();
  const hold = (holder: string) => holdReconciliation(database.sql, { holder, leaseMs });

  test('is kept by one relay, until it ends or is given back', async () => {
    expect([await hold(holder), await hold(other)]).toEqual([true, false]);
    await releaseReconciliation(database.sql, holder);
    expect([await hold(other), await hold(holder)]).toEqual([true, false]);
    await database.sql`UPDATE relay_reconciliation SET lease_end = now() - interval '1 second'`;
    expect(await hold(holder)).toBe(true);
  });
});

test('a pause is news once a cause, and so is its end, whichever relay notes it', async () => {
  const behind = { cause: 'worker_behind', reason: 'one' } as const;
  const note = (pause: Parameters<typeof notePause>[2]) => notePause(database.sql, holder, pause);
  expect(await note(null)).toBe(false);
  expect(await note(behind)).toBe(true);
  expect(await note({ ...behind, reason: 'two' })).toBe(false);
  expect(await note({ cause: 'index_wiped', reason: 'three' })).toBe(true);
  expect(await note(null)).toBe(true);
  expect(await notePause(database.sql, randomUUID(), behind)).toBe(false);
});

test('a relay may do all of it', async () => {
  const lost = await sent();
  const known = await sent();
  await database.sql`INSERT INTO ingestion_reconciled (isrc, times) VALUES (${known.isrc}, 3)`;
  await database.sql.begin(async transaction => {
    await transaction`SET LOCAL ROLE segue_relay`;
    expect(await holdReconciliation(transaction, { holder, leaseMs })).toBe(true);
    expect(await readOverdue(transaction, [lost.isrc, known.isrc], { afterMs })).toHaveLength(2);
    await readSeenFrom(null, transaction);
    const done = await sendAnew(transaction, [lost, known], { holder, afterMs, limit: 3, perMinute: 10 });
    expect(done).toMatchObject({ sentAnew: [{}], neverIndexed: [{}] });
    await confirmIndexed(transaction, [lost.isrc]);
    await notePause(transaction, holder, { cause: 'index_wiped', reason: 'why' });
    await releaseReconciliation(transaction, holder);
  });
});
