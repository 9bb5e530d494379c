import { useDatabase } from '@segue/testing/database.ts';
import { expect, test } from 'vitest';
import { answerOf } from './sqlAnswer.ts';

const database = useDatabase();

test('values are written as PostgreSQL writes them', async () => {
  const statement = `SELECT 1 AS one, true AS yes, NULL::text AS nothing, '{"a": 1}'::jsonb AS json, 0.10::numeric AS exact`;
  expect(await answerOf(database.url, statement)).toEqual([
    'one  yes  nothing  json      exact',
    '───  ───  ───────  ────────  ─────',
    '1    t             {"a": 1}  0.10',
    '(1 row)',
  ]);
});

test('several statements have their answers one below the other', async () => {
  expect(await answerOf(database.url, 'SELECT 1 AS a WHERE false; SELECT 2 AS b')).toEqual([
    'a',
    '─',
    '(0 rows)',
    '',
    'b',
    '─',
    '2',
    '(1 row)',
  ]);
});

test('what has no rows says what it did', async () => {
  const insert = `INSERT INTO ingestion_outbox (isrc, title, artist, album) VALUES ('USSM15900113', 'a', 'b', 'c')`;
  expect(await answerOf(database.url, insert)).toEqual(['INSERT 1']);
});

test('a mistake is told in the words of the database', async () => {
  await expect(answerOf(database.url, 'SELECT stus FROM ingestion_outbox')).rejects.toThrow(
    'column "stus" does not exist',
  );
});
