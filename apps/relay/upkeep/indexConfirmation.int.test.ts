import { readUnconfirmed } from '@segue/outbox/confirm.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Breaker } from '../guards/breaker.ts';
import { loggerInMemory } from '../test/relay.ts';
import { indexConfirmation } from './indexConfirmation.ts';

const database = useDatabase();

/** Brings recordings as far as the relay does: accepted by Inngest, and settled. */
async function send(isrcs: string[]): Promise<void> {
  const { sql } = database;
  await sql`INSERT INTO ingestion_outbox (isrc, title, artist, album)
    SELECT isrc, 'Title', 'Artist', 'Album' FROM unnest(${isrcs}::text[]) AS isrc`;
  await sql`
    WITH sent AS (
      UPDATE ingestion_outbox SET status = 'scheduled', settled_at = now(), generation = 1
      WHERE isrc = ANY(${isrcs}::text[]) RETURNING isrc, id
    )
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at) SELECT isrc, id, 1, now() FROM sent`;
}

const indexedIsrcs = async () => {
  const rows =
    await database.sql`SELECT isrc FROM ingestion_ledger WHERE indexed_at IS NOT NULL ORDER BY isrc`;
  return rows.map(row => row.isrc);
};

function confirm(
  checkTracksExist: (isrcs: string[]) => Promise<Map<string, boolean>>,
  { waitMs = 60_000 } = {},
) {
  const indexBreaker = new Breaker({ firstWaitMs: waitMs, longestWaitMs: 60_000 });
  const { logger } = loggerInMemory();
  const options = { sql: database.sql, index: { checkTracksExist }, indexBreaker, logger };
  const service = indexConfirmation({ ...options, everyMs: 10, fullEveryMs: 10, youngestMs: 0 });
  service.start();
  onTestFinished(() => service.stop());
  return { indexBreaker };
}

test('what was sent and has reached the index is noted, over all pages, and not asked for again', async () => {
  const isrcs = Array.from({ length: 2_300 }, (_, n) => `SENT${String(n).padStart(8, '0')}`);
  await send(isrcs);
  const arrived = new Set(isrcs.filter((_, n) => n % 2 === 0));
  const asked = vi.fn(async (some: string[]) => new Map(some.map(isrc => [isrc, arrived.has(isrc)])));
  confirm(asked);

  await eventually(async () => expect(await indexedIsrcs()).toEqual([...arrived].sort()));
  asked.mockClear();
  await eventually(() => expect(asked).toHaveBeenCalled());
  expect(asked.mock.calls.flat(2).filter(isrc => arrived.has(isrc))).toEqual([]);
});

test('what was sent a moment ago is given time', async () => {
  await send(['YOUNG0000001', 'YOUNG0000002']);
  const read = async (youngestMs: number) => {
    const { isrcs } = await readUnconfirmed(database.sql, { youngestMs, after: null });
    return isrcs.filter(isrc => isrc.startsWith('YOUNG')).sort();
  };
  expect(await read(0)).toEqual(['YOUNG0000001', 'YOUNG0000002']);
  expect(await read(3_000_000)).toEqual([]);
});

test('a document that comes a week later, behind 30,000 recordings that wait for theirs, is noted', async () => {
  await database.sql`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at)
    SELECT 'QUEUE' || lpad(n::text, 7, '0'), 1, 1, now() - interval '1 hour' FROM generate_series(1, 30000) AS n`;
  await database.sql`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at)
    VALUES ('WEEK00000001', 1, 1, now() - interval '7 days')`;
  confirm(async isrcs => new Map(isrcs.map(isrc => [isrc, isrc === 'WEEK00000001'])));
  await eventually(async () => expect(await indexedIsrcs()).toContain('WEEK00000001'));
  await database.sql`DELETE FROM ingestion_ledger WHERE isrc LIKE 'QUEUE%'`;
});

test('an index that is away is left alone', async () => {
  await send(['AWAY00000001']);
  const indexThatIsAway = vi.fn(async () => new Map());
  const indexThatAnswers = vi.fn(async () => new Map());
  confirm(indexThatIsAway).indexBreaker.failed();
  confirm(indexThatAnswers);

  await vi.waitFor(() => expect(indexThatAnswers.mock.calls.length).toBeGreaterThan(5), 10_000);
  expect(indexThatIsAway).not.toHaveBeenCalled();
});

test('an index that was away is asked again when it may be, though no row comes by to ask it', async () => {
  await send(['BACK00000001']);
  const index = vi.fn(async (isrcs: string[]) => new Map(isrcs.map(isrc => [isrc, isrc === 'BACK00000001'])));
  const { indexBreaker } = confirm(index, { waitMs: 1 });
  indexBreaker.failed();

  await eventually(async () => expect(await indexedIsrcs()).toContain('BACK00000001'));
  expect(indexBreaker.state).toBe('closed');
});

test('an index that is still away is given another wait, for the rows as well', async () => {
  await send(['GONE00000001']);
  const index = vi.fn(() => Promise.reject(new Error('away')));
  const { indexBreaker } = confirm(index, { waitMs: 1 });
  const failed = vi.spyOn(indexBreaker, 'failed');
  indexBreaker.failed();

  await vi.waitFor(() => expect(failed.mock.calls.length).toBeGreaterThan(2), 10_000);
  expect(indexBreaker.state).not.toBe('closed');
});
