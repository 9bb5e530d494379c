import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { breakable } from '@segue/testing/proxy.ts';
import { expect, test } from 'vitest';
import { openDatabase } from '../database.ts';
import { IngestionScheduler } from '../ingestion/ingestionScheduler.ts';
import { ask } from './ask.ts';
import { catalogTrack, fakeCatalog } from './catalog.ts';
import { loggerInMemory } from './logger.ts';
import { serverOf } from './server.ts';

const testDatabase = useDatabase();

test('the database away: every request is told at once, readiness says so, and it heals by itself', async () => {
  await using proxy = await breakable(testDatabase.url);
  const database = await openDatabase({ url: proxy.url });
  const { logger } = loggerInMemory();
  const scheduler = new IngestionScheduler({ hint: { give() {} }, logger });
  const tracks = Array.from({ length: 300 }, () => catalogTrack());
  const server = await serverOf({ database, catalog: fakeCatalog({ tracks }), scheduler, logger });
  const add = (id = '') =>
    ask(server, `mutation { addTrackToLibrary(input: {tidalTrackId: ${id}}) { __typename } }`);
  const added = { data: { addTrackToLibrary: { __typename: 'LibraryTrack' } } };
  expect(await add(tracks[0]?.tidalId)).toMatchObject(added);

  await proxy.cut();
  const flood = await Promise.all(tracks.slice(1).map(({ tidalId }) => add(tidalId)));
  expect(flood.map(({ errors }) => errors?.[0]?.extensions.code)).toEqual(
    flood.map(() => 'DATABASE_UNAVAILABLE'),
  );
  expect((await server.inject('/readyz')).statusCode).toBe(503);
  expect((await server.inject('/livez')).statusCode).toBe(200);

  await proxy.mend();
  await eventually(async () => expect((await server.inject('/readyz')).statusCode).toBe(200));
  await eventually(async () => {
    expect(await ask(server, '{ getLibraryTracks(first: 1) { title } }')).toMatchObject({
      data: { getLibraryTracks: [{ title: 'So What' }] },
    });
  });
  await server.close();
  await database.sql.end({ timeout: 5 });
});

test('connections that go silent: a request is told to try again, and so it succeeds', async () => {
  await using proxy = await breakable(testDatabase.url);
  const database = await openDatabase({ url: proxy.url });
  const { logger } = loggerInMemory();
  const scheduler = new IngestionScheduler({ hint: { give() {} }, logger });
  const server = await serverOf({ database, catalog: fakeCatalog({}), scheduler, logger });
  const list = () => ask(server, '{ getLibraryTracks(first: 1) { title } }');
  // All ten connections are open.
  await Promise.all(Array.from({ length: 10 }, () => database.sql`SELECT pg_sleep(0.2)`));

  proxy.silence();
  const answers = await Promise.all([list(), list(), list()]);
  expect(answers.map(({ errors }) => errors?.[0]?.extensions.code)).toContain('DATABASE_UNAVAILABLE');
  await eventually(async () =>
    expect(await list()).toMatchObject({ data: { getLibraryTracks: expect.any(Array) } }),
  );
  await eventually(async () => expect((await server.inject('/readyz')).statusCode).toBe(200));
  await server.close();
  await database.sql.end({ timeout: 5 });
});
