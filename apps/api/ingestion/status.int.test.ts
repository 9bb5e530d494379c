import { drizzle } from 'drizzle-orm/postgres-js';
import { expect, test } from 'vitest';
import { newIsrc } from '../test/catalog.ts';
import { useLibrary } from '../test/library.ts';
import { createStatusLookup, readLedger } from './status.ts';

const here = useLibrary();

const createdAt = new Date();
const recording = (isrc: string | null) => ({ isrc, title: 'So What', createdAt });

/** A request and, as a relay would, what the ledger says of it. */
async function request(isrc: string, status: string, ledger: { sentAt?: Date; deadReason?: string } = {}) {
  const settledAt = status === 'pending' ? null : new Date(createdAt.getTime() + 60_000);
  await here.sql`
    WITH request AS (
      INSERT INTO ingestion_outbox (isrc, title, artist, album, status, settled_at)
      VALUES (${isrc}, 'So What', 'Miles Davis', 'Kind of Blue', ${status}, ${settledAt}) RETURNING id
    )
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at, dead_reason)
    SELECT ${isrc}, id, 1, ${ledger.sentAt ?? null}, ${ledger.deadReason ?? null} FROM request`;
}

test('the status is what the ledger and the request that took the recording say', async () => {
  const [unknown, waiting, sent, dead] = [newIsrc(), newIsrc(), newIsrc(), newIsrc()];
  const sentAt = new Date();
  await request(waiting, 'pending', { sentAt });
  await request(sent, 'scheduled', { sentAt });
  await request(dead, 'dead', { deadReason: 'event too large' });
  const statusOf = createStatusLookup(isrcs => readLedger(here.database, isrcs));

  const answers = await Promise.all([unknown, waiting, sent, dead].map(isrc => statusOf(recording(isrc))));

  const pending = { status: 'PENDING', requestedAt: createdAt, scheduledAt: null, reason: null };
  expect(answers).toEqual([
    pending,
    pending,
    { ...pending, status: 'SCHEDULED', scheduledAt: sentAt },
    { ...pending, status: 'FAILED', reason: 'event too large' },
  ]);
});

test('what was not requested says why, and nobody is asked', async () => {
  const statusOf = createStatusLookup(isrcs =>
    readLedger({ ...here.database, drizzle: null as never }, isrcs),
  );
  const notRequested = { status: 'NOT_REQUESTED', requestedAt: null, scheduledAt: null };
  expect(await statusOf(recording(null))).toEqual({ ...notRequested, reason: 'missing_isrc' });
  expect(await statusOf(recording('USRC1'))).toEqual({ ...notRequested, reason: 'invalid_isrc' });
  expect(await statusOf({ ...recording(newIsrc()), title: ' ' })).toEqual({
    ...notRequested,
    reason: 'invalid_event',
  });
});

test('a thousand recordings are one query, and those asked for later another', async () => {
  const queries: string[] = [];
  const logger = { logQuery: (query: string) => queries.push(query) };
  const statusOf = createStatusLookup(isrcs =>
    readLedger({ ...here.database, drizzle: drizzle(here.database.sql, { logger }) }, isrcs),
  );

  await Promise.all(Array.from({ length: 1000 }, () => statusOf(recording(newIsrc()))));
  expect(queries).toHaveLength(1);

  await statusOf(recording(newIsrc()));
  expect(queries).toHaveLength(2);
});
