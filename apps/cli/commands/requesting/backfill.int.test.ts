import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { beforeEach, expect, test } from 'vitest';
import { addAlbum, addTrack, newIsrc } from '../../test/library.ts';
import { outbox, type RunOptions } from '../../test/terminal.ts';

const database = useDatabase();
beforeEach(async () => {
  await database.sql`
    TRUNCATE ingestion_outbox, ingestion_ledger, ingestion_meters, ingestion_actions, library_tracks, library_albums`;
});

const backfill = (options: string[] = [], given: RunOptions = {}) =>
  outbox(
    ['backfill', '--json', '--reason', 'older than the outbox', '--yes', '--per-minute', '60000', ...options],
    { environment: { DATABASE_URL: database.url }, ...given },
  );

const requested = async () =>
  (await database.sql<{ isrc: string }[]>`SELECT isrc FROM ingestion_outbox ORDER BY isrc`).map(
    ({ isrc }) => isrc,
  );

test('every recording of the library is requested once, as an addition would request it', async () => {
  const track = await addTrack(database.sql, { cover_art_url: 'https://example.com/a.jpg' });
  const [one, two] = [newIsrc(), newIsrc()];
  await addAlbum(database.sql, [one, two, track, null, 'no ISRC']);
  await addAlbum(database.sql, [one], { user_id: 'grace' });
  const run = await backfill();
  expect(run.document()).toMatchObject({ rows: 3, action: expect.any(Number) });
  expect(run.code).toBe(0);
  expect(
    await database.sql`
      SELECT isrc, title, artist, album, artwork_url, force FROM ingestion_outbox WHERE isrc = ${track} OR isrc = ${two} ORDER BY isrc`,
  ).toEqual([
    {
      isrc: track,
      title: 'So What',
      artist: 'Miles Davis',
      album: 'Kind of Blue',
      artwork_url: 'https://example.com/a.jpg',
      force: false,
    },
    {
      isrc: two,
      title: 'Track 2',
      artist: 'Miles Davis',
      album: 'Kind of Blue',
      artwork_url: null,
      force: false,
    },
  ]);
  expect(await requested()).toEqual([track, one, two].sort());
});

test('what has a request, or had one, is not requested again', async () => {
  const [open, sent, wanted] = await Promise.all([1, 2, 3].map(() => addTrack(database.sql)));
  await database.sql`INSERT INTO ingestion_outbox (isrc, title, artist, album) VALUES (${open as string}, 'a', 'b', 'c')`;
  await database.sql`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation) VALUES (${sent as string}, 0, 1)`;
  expect((await backfill()).document()).toMatchObject({ rows: 1 });
  expect(await requested()).toEqual([open, wanted].sort());
  expect((await backfill()).document()).toEqual({ rows: 0, action: null });
});

test('a dry run counts, and changes nothing', async () => {
  const isrc = await addTrack(database.sql);
  await addTrack(database.sql, { user_id: 'grace', isrc });
  await addAlbum(database.sql, [isrc, newIsrc()]);
  expect((await backfill(['--dry-run'])).document()).toEqual({ dryRun: true, rows: 2 });
  expect(await requested()).toEqual([]);
});

test('several pages of the library are walked', async () => {
  await database.sql`
    INSERT INTO library_tracks (user_id, tidal_track_id, title, artist_name, album_name, duration, explicit, isrc)
    SELECT 'ada', n, 'So What', 'Miles Davis', 'Kind of Blue', 1, false, 'PAGES' || lpad(n::text, 7, '0')
    FROM generate_series(1, 1001) AS n`;
  for (let albums = 0; albums < 101; albums++) await addAlbum(database.sql, [newIsrc()]);
  expect((await backfill(['--dry-run'])).document()).toEqual({ dryRun: true, rows: 1_102 });
});

test.each<[string, string[], number]>([
  ['a user', ['--user', 'grace'], 1],
  ['an artist, whatever the case', ['--artist', 'john coltrane'], 3],
  ['an album', ['--album', 'blue train'], 2],
  ['a user and an artist', ['--user', 'grace', '--artist', 'John Coltrane'], 0],
])('the recordings of %s are requested alone', async (_, options, rows) => {
  await addTrack(database.sql, { artist_name: 'John Coltrane', album_name: 'Giant Steps' });
  await addTrack(database.sql, { user_id: 'grace' });
  await addAlbum(database.sql, [newIsrc(), newIsrc()], {
    artist_name: 'John Coltrane',
    title: 'Blue Train',
  });
  await addTrack(database.sql);
  expect((await backfill(options)).document()).toMatchObject({ rows });
});

test('the recordings of a file are requested alone, and what it names besides is told', async () => {
  const [one, , three] = await Promise.all([1, 2, 3].map(() => addTrack(database.sql)));
  const file = join(await mkdtemp(join(tmpdir(), 'segue-cli-')), 'isrcs.csv');
  await writeFile(file, `isrc\n${one}\n  ${three?.toLowerCase()},\nUS-RC1-76-07839\n`);
  const run = await backfill(['--isrc-file', file]);
  expect(run.document()).toMatchObject({ rows: 2, notInLibrary: 1 });
  expect(run.stderr).toContain('1 entries of');
  expect(await requested()).toEqual([one, three].sort());
});

test('a file that is not there is wrong usage', async () => {
  const run = await backfill(['--isrc-file', '/nowhere/isrcs']);
  expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining('/nowhere/isrcs cannot be read') });
});

test.each(['0', '-1', 'ten', '1.5'])('%s requests a minute are wrong usage', async perMinute => {
  expect(await backfill(['--per-minute', perMinute])).toMatchObject({ code: 2 });
});

test('it asks at a terminal, with the number and the time it takes', async () => {
  await addTrack(database.sql);
  const { code, stderr } = await outbox(['backfill', '--reason', 'why'], {
    environment: { DATABASE_URL: database.url },
    typed: 'n\n',
  });
  expect(code).toBe(1);
  expect(stderr).toContain('Request 1 recordings, 10 a minute (6 s at the least)?');
  expect(await requested()).toEqual([]);
});

test('Ctrl-C stops it, and the same command goes on with the rest', async () => {
  for (let tracks = 0; tracks < 3; tracks++) await addTrack(database.sql);
  const interruption = new AbortController();
  const run = backfill(['--per-minute', '1'], { interrupted: interruption.signal });
  await eventually(async () => expect(await requested()).toHaveLength(1));
  interruption.abort();
  const { code, stderr } = await run;
  expect(code).toBe(130);
  expect(stderr).toContain('run the same command again to go on');
  await database.sql`UPDATE ingestion_meters SET at = at - interval '1 hour'`;
  expect((await backfill()).document()).toMatchObject({ rows: 2 });
  expect(await requested()).toHaveLength(3);
});

test('while sending is paused it says so, and waits', async () => {
  await addTrack(database.sql);
  await database.sql`UPDATE relay_control SET paused_at = now()`;
  const interruption = new AbortController();
  const said: string[] = [];
  const run = backfill([], { interrupted: interruption.signal, onStderr: text => said.push(text) });
  try {
    await eventually(() => expect(said.join('')).toContain('sending is paused'));
    expect(await requested()).toEqual([]);
    await database.sql`UPDATE relay_control SET paused_at = NULL`;
    expect((await run).document()).toMatchObject({ rows: 1 });
  } finally {
    await database.sql`UPDATE relay_control SET paused_at = NULL`;
    interruption.abort();
    await run;
  }
});
