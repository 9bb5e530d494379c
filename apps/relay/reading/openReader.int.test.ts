import { useDatabase } from '@segue/testing/database.ts';
import { expect, test } from 'vitest';
import { OpenReader } from './openReader.ts';
import { RecordingsInHand } from './recordingsInHand.ts';

const database = useDatabase();

test('the newest requests have those among them whose rest is over, and none that rests', async () => {
  const [first, second] = await database.sql<
    [{ isrc: string; slot: number }, { isrc: string; slot: number }]
  >`
    INSERT INTO ingestion_outbox (isrc, title, artist, album)
    VALUES ('RESTS0000001', 'Title', 'Artist', 'Album'), ('RESTS0000002', 'Title', 'Artist', 'Album')
    RETURNING isrc, recording_slot(isrc) AS slot`;
  const inHand = new RecordingsInHand();
  const reader = new OpenReader({
    sql: database.sql,
    keeper: { slots: () => new Map(Array.from({ length: 32 }, (_, slot) => [slot, 1])) },
    inHand,
    dedupeWindowMs: 1_000,
    sweepEveryMs: 1_000,
  });
  inHand.rest(first, 0);
  inHand.rest(second, 3_600_000);
  const { rows } = await reader.newest();
  expect(rows.map(({ isrc }) => isrc)).toEqual([first.isrc]);
});
