import { useDatabase } from '@segue/testing/database.ts';
import { expect, test } from 'vitest';
import { arrayText } from './arrayText.ts';

const database = useDatabase();

test('PostgreSQL reads every text as it was', async () => {
  const texts = [
    'So What',
    '',
    'NULL',
    'null',
    null,
    '"',
    '\\',
    '\\"',
    '{a,b}',
    ' , ',
    '序曲 🎻',
    'line\nbreak',
    "'",
  ];
  const [row] = await database.sql`SELECT to_json(${arrayText(texts)}::text::text[]) AS texts`;
  expect(row).toEqual({ texts });
});

test('PostgreSQL reads numbers, ids beyond 2^53, booleans and nothing', async () => {
  const [row] = await database.sql`
    SELECT to_json(${arrayText([1, -2.5, null])}::text::float8[]) AS numbers,
      ${arrayText(['9223372036854775807'])}::text::bigint[]::text[] AS ids,
      ${arrayText([true, false])}::text::boolean[] AS booleans, ${arrayText([])}::text::int[] AS nothing`;
  expect(row).toEqual({
    numbers: [1, -2.5, null],
    ids: ['9223372036854775807'],
    booleans: [true, false],
    nothing: [],
  });
});
