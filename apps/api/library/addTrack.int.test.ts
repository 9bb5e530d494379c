import type { Sql } from '@segue/database/connection.ts';
import { TidalApiError } from '@segue/tidal/http/error.ts';
import { describe, expect, test } from 'vitest';
import { catalogTrack, fakeCatalog, newIsrc } from '../test/catalog.ts';
import { newUser, useLibrary } from '../test/library.ts';
import { levels } from '../test/logger.ts';
import { addTrack } from './addTrack.ts';

const here = useLibrary();

const outboxOf = (isrc: string | null) => here.sql`
  SELECT isrc, title, artist, album, artwork_url, priority, force, status, album_batch_id
  FROM ingestion_outbox WHERE isrc = ${isrc}`;
const tracksOf = (user: string) => here.sql`SELECT * FROM library_tracks WHERE user_id = ${user}`;

test('an added track is in the library, and its recording in the outbox', async () => {
  const track = catalogTrack();
  const library = here.libraryWith(fakeCatalog({ tracks: [track] }));
  const user = newUser();

  const addition = await addTrack(library, user, track.tidalId);

  const [stored] = await tracksOf(user);
  expect(addition).toEqual({
    outcome: 'added',
    item: {
      id: stored?.id,
      userId: user,
      tidalTrackId: track.tidalId,
      title: 'So What',
      artistName: 'Miles Davis',
      albumName: 'Kind of Blue',
      duration: 562,
      coverArtUrl: track.coverArtUrl,
      explicit: false,
      isrc: track.isrc,
      isrcOwed: false,
      createdAt: stored?.created_at,
    },
  });
  expect(await outboxOf(track.isrc)).toEqual([
    {
      isrc: track.isrc,
      title: 'So What',
      artist: 'Miles Davis',
      album: 'Kind of Blue',
      artwork_url: track.coverArtUrl,
      priority: 0,
      force: false,
      status: 'pending',
      album_batch_id: null,
    },
  ]);
});

test('what was committed is logged, and relays get a hint', async () => {
  const track = catalogTrack();
  const library = here.libraryWith(fakeCatalog({ tracks: [track] }));
  await addTrack(library, newUser(), track.tidalId);
  expect(library.lines).toEqual([
    {
      level: levels.info,
      event: 'ingestion_requested',
      isrc: track.isrc,
      trackTitle: 'So What',
      result: 'success',
      duration_ms: expect.any(Number),
    },
  ]);
  expect(library.hints).toBe(1);
});

describe('what cannot be requested is stored all the same (R9)', () => {
  test.each([
    ['no ISRC', { isrc: null }, { event: 'ingestion_skipped', result: 'skipped', reason: 'missing_isrc' }],
    [
      'an invalid ISRC',
      { isrc: 'US-RC1-76' },
      { event: 'ingestion_skipped', isrc: 'US-RC1-76', result: 'skipped', reason: 'invalid_isrc' },
    ],
    [
      'an empty title',
      { title: ' ', isrc: 'XXTITLE00001' },
      { event: 'validation_error', isrc: 'XXTITLE00001', result: 'error', error: 'title: must not be empty' },
    ],
  ])('%s', async (_, given, line) => {
    const track = catalogTrack(given);
    const library = here.libraryWith(fakeCatalog({ tracks: [track] }));
    const user = newUser();

    expect(await addTrack(library, user, track.tidalId)).toMatchObject({ outcome: 'added' });

    expect(await tracksOf(user)).toMatchObject([{ title: track.title, isrc: track.isrc }]);
    expect(await outboxOf(track.isrc)).toEqual([]);
    expect(library.lines).toEqual([{ level: levels.warn, trackTitle: track.title, ...line }]);
    expect(library.hints).toBe(0);
  });
});

test('an ISRC is stored in its one spelling', async () => {
  const track = catalogTrack({ isrc: ' us-rc1-76-07839 ' });
  const user = newUser();
  await addTrack(here.libraryWith(fakeCatalog({ tracks: [track] })), user, track.tidalId);
  expect(await tracksOf(user)).toMatchObject([{ isrc: 'USRC17607839' }]);
  expect(await outboxOf('USRC17607839')).toHaveLength(1);
});

test('a track that is there already is found without asking TIDAL', async () => {
  const track = catalogTrack();
  const catalog = fakeCatalog({ tracks: [track] });
  const library = here.libraryWith(catalog);
  const user = newUser();
  const first = await addTrack(library, user, track.tidalId);
  const second = await addTrack(library, user, track.tidalId);

  expect(second).toEqual({
    outcome: 'duplicate',
    existingItemId: first.outcome === 'added' && first.item.id,
  });
  expect(catalog.asked).toEqual([`track ${track.tidalId}`]);
  expect(await outboxOf(track.isrc)).toHaveLength(1);
});

test('the same track of another user is no duplicate', async () => {
  const track = catalogTrack();
  const library = here.libraryWith(fakeCatalog({ tracks: [track] }));
  for (const user of [newUser(), newUser()]) {
    expect(await addTrack(library, user, track.tidalId)).toMatchObject({ outcome: 'added' });
  }
});

test('of 20 requests at the same moment one adds the track, and the others learn its id', async () => {
  const track = catalogTrack();
  const catalog = fakeCatalog({ tracks: [track] });
  const allAsked = Promise.withResolvers<void>();
  const getTrack = async (id: string) => {
    const answer = await catalog.getTrack(id);
    if (catalog.asked.length === 20) allAsked.resolve();
    await allAsked.promise;
    return answer;
  };
  const library = here.libraryWith({ ...catalog, getTrack });
  const user = newUser();

  const additions = await Promise.all(
    Array.from({ length: 20 }, () => addTrack(library, user, track.tidalId)),
  );

  const [stored, ...others] = await tracksOf(user);
  expect(others).toEqual([]);
  expect(additions.filter(({ outcome }) => outcome === 'added')).toHaveLength(1);
  const duplicates = additions.filter(({ outcome }) => outcome === 'duplicate');
  expect(duplicates).toEqual(Array(19).fill({ outcome: 'duplicate', existingItemId: stored?.id }));
  expect(await outboxOf(track.isrc)).toHaveLength(1);
  expect(library.lines).toHaveLength(1);
});

test('a track that was in the way and is removed before it can be named is added after all', async () => {
  const track = catalogTrack();
  const library = here.libraryWith(fakeCatalog({ tracks: [track] }));
  const user = newUser();
  let looks = 0;
  const look = async (...statement: Parameters<Sql['unsafe']>) => {
    looks++;
    // Another request adds the track behind the first look, and removes it before the second.
    if (looks === 2) await here.sql`DELETE FROM library_tracks WHERE user_id = ${user}`;
    const found = await here.database.sql.unsafe(...statement);
    if (looks === 1) await addTrack(library, user, track.tidalId);
    return found;
  };
  const sql = new Proxy(here.database.sql, {
    get: (target, name) => (name === 'unsafe' ? look : Reflect.get(target, name)),
  });
  const hurried = { ...library, database: { ...here.database, sql } };

  const addition = await addTrack(hurried, user, track.tidalId);

  expect(looks).toBe(2);
  expect(addition).toMatchObject({ outcome: 'added' });
  expect(await tracksOf(user)).toHaveLength(1);
});

test('a track under another id than TIDAL knows it by is no second track', async () => {
  const track = catalogTrack();
  const catalog = { ...fakeCatalog(), getTrack: async () => track };
  const library = here.libraryWith(catalog);
  const user = newUser();
  await addTrack(library, user, track.tidalId);
  expect(await addTrack(library, user, `00${track.tidalId}`)).toMatchObject({ outcome: 'duplicate' });
});

test('a track that TIDAL does not know is not stored', async () => {
  const user = newUser();
  expect(await addTrack(here.libraryWith(), user, '404')).toEqual({ outcome: 'not_found' });
  expect(await tracksOf(user)).toEqual([]);
});

test.each([true, false])('TIDAL down: nothing is stored (retryable: %s)', async retryable => {
  const failure = new TidalApiError('track 1: 503', { retryable, status: 503 });
  const user = newUser();
  const library = here.libraryWith(fakeCatalog({ failure }));
  expect(await addTrack(library, user, '1')).toEqual({ outcome: 'tidal_unavailable', retryable });
  expect(await tracksOf(user)).toEqual([]);
  expect(library.lines).toMatchObject([{ level: levels.warn, error: 'track 1: 503' }]);
});

test('a hint that throws does not fail the addition', async () => {
  const track = catalogTrack();
  const library = here.libraryWith(fakeCatalog({ tracks: [track] }), () => {
    throw new Error('no connection');
  });
  const user = newUser();
  expect(await addTrack(library, user, track.tidalId)).toMatchObject({ outcome: 'added' });
  expect(await outboxOf(track.isrc)).toHaveLength(1);
});

test('R2: an outbox row that cannot be written takes the library row with it', async () => {
  const isrc = newIsrc();
  await here.sql.unsafe(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused by the test'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON ingestion_outbox
    FOR EACH ROW WHEN (NEW.isrc = '${isrc}') EXECUTE FUNCTION refuse()`);
  const track = catalogTrack({ isrc });
  const library = here.libraryWith(fakeCatalog({ tracks: [track] }));
  const user = newUser();

  await expect(addTrack(library, user, track.tidalId)).rejects.toThrow('refused by the test');

  expect(await tracksOf(user)).toEqual([]);
  expect(await outboxOf(isrc)).toEqual([]);
  expect(library.lines).toEqual([]);
  expect(library.hints).toBe(0);
});
