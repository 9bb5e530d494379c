import { useDatabase } from '@segue/testing/database.ts';
import { beforeAll, expect, test } from 'vitest';
import { confirmIndexed, readUnconfirmed, type Unconfirmed } from './confirm.ts';
import { accessesOf } from './test/plans.ts';

const database = useDatabase();
const overdueMs = 26 * 3_600_000;

/** Recordings of a long history that were seen, and a tenth that were not: many of them sent at one moment. */
beforeAll(async () => {
  await database.sql`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at, indexed_at)
    SELECT 'SENT' || lpad(n::text, 8, '0'), n, 1, now() - (n / 3000) * interval '1 hour' - interval '1 minute',
      CASE WHEN n % 10 <> 0 THEN now() END
    FROM generate_series(1, 30000) AS n`;
  await database.sql`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at, indexed_at)
    VALUES ('NEVERSENT001', 1, 1, NULL, NULL), ('SENTANEW0001', 1, 2, now() - interval '1 minute', now() - interval '1 day')`;
  await database.sql`ANALYZE ingestion_ledger`;
});

async function readAll(): Promise<string[]> {
  const isrcs: string[] = [];
  let after: Unconfirmed['last'] = null;
  do {
    const page: Unconfirmed = await readUnconfirmed(database.sql, { youngestMs: 0, overdueMs, after });
    isrcs.push(...page.recordings.map(({ isrc }) => isrc));
    after = page.last;
  } while (after !== null);
  return isrcs;
}

test('the pages hold each recording that was sent and not seen since once, the latest first', async () => {
  const isrcs = await readAll();
  expect(isrcs).toHaveLength(3_001);
  expect(new Set(isrcs).size).toBe(3_001);
  expect(isrcs[0]).toBe('SENTANEW0001');
  expect(isrcs.at(-1)).toBe('SENT00030000');
  expect(isrcs).not.toContain('NEVERSENT001');
});

test('what was sent a moment ago is given time, and what was sent long ago is overdue', async () => {
  const read = async (given: { youngestMs?: number; overdueMs?: number }) =>
    (await readUnconfirmed(database.sql, { youngestMs: 0, overdueMs, after: null, ...given })).recordings;
  expect((await read({ youngestMs: 30_000 }))[0]?.isrc).toBe('SENTANEW0001');
  expect((await read({ youngestMs: 90_000 })).map(({ isrc }) => isrc)).not.toContain('SENTANEW0001');
  const overdue = (await read({ overdueMs: 3_600_000 })).filter(({ isOverdue }) => isOverdue);
  // 3,000 were sent an hour, and every tenth was not seen: those of the last hour are not overdue.
  expect(overdue).toHaveLength(1_000 - 300);
});

test('a page is read from the index of what is not seen yet, and not from the history', async () => {
  const accesses = await accessesOf(database.sql, db =>
    readUnconfirmed(db, {
      youngestMs: 0,
      overdueMs,
      after: { sentAt: '2026-01-01 00:00:00+00', isrc: 'SENT00000010' },
    }),
  );
  expect(new Set(accesses.map(({ how }) => how))).toEqual(
    new Set(['Index Only Scan using ingestion_ledger_unconfirmed']),
  );
});

test('what is seen is not read again', async () => {
  await confirmIndexed(database.sql, ['SENTANEW0001', 'SENT00030000']);
  const isrcs = await readAll();
  expect(isrcs).toHaveLength(2_999);
  expect(isrcs).not.toContain('SENTANEW0001');
});
