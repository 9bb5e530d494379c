import { expect, test } from 'vitest';
import { summaryOf } from './tracedStatements.ts';

test.each([
  [
    'WITH stored AS (INSERT INTO library_tracks (id) VALUES ($1)) SELECT * FROM stored',
    'INSERT library_tracks',
  ],
  ['\n  SELECT id FROM library_tracks WHERE id = $1', 'SELECT library_tracks'],
  ['select "id" from "library_albums"', 'SELECT library_albums'],
  ['delete from "library_albums" where id = $1', 'DELETE library_albums'],
  ['SELECT id FROM library_tracks FOR UPDATE SKIP LOCKED', 'SELECT library_tracks'],
  ['begin ', 'BEGIN'],
  ['', 'statement'],
])('%s is in short: %s', (text, summary) => {
  expect(summaryOf(text)).toBe(summary);
});
