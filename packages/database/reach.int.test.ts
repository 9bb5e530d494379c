import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { breakable } from '@segue/testing/breakable.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from './connection.ts';
import { migrate } from './migrate.ts';
import { isOutage } from './outage.ts';
import { connectThroughPooler } from './pooler.ts';
import { reach } from './reach.ts';

const database = useDatabase();

const openings: [string, (url: string) => Promise<unknown>][] = [
  ['a relay', url => connectThroughPooler({ url, applicationName: 'test', max: 1 })],
  ['a migration', url => migrate(url)],
];
const message = (error: Error) => error.message;

test('a database that answers is reached', async () => {
  await expect(reach(database.sql)).resolves.toBeUndefined();
});

test('a database that is starting is waited for', async () => {
  await using starting = await breakable(database.url);
  await starting.cut();
  const sql = connect({ url: starting.url, applicationName: 'test', max: 1 });
  onTestFinished(() => sql.end());

  const reaching = reach(sql);
  // Asked after it and on the same connection, so that its first try has failed by then.
  await expect(sql`SELECT 1`).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await starting.mend();
  await expect(reaching).resolves.toBeUndefined();
});

test('one that is away for longer is named, with what to do; not the password', async () => {
  const sql = connect({
    url: 'postgres://segue:hidden@127.0.0.1:1/library?password=hidden',
    applicationName: 'test',
    max: 1,
  });
  onTestFinished(() => sql.end());
  const error = await reach(sql).catch(error => error);
  expect(error.message).toBe(
    'the database of DATABASE_URL (segue@127.0.0.1:1/library) cannot be reached: connect ECONNREFUSED 127.0.0.1:1. Is PostgreSQL running there?',
  );
  expect(isOutage(error)).toBe(true);
});

test.each(openings)('%s is told that a database is not there', async (_, open) => {
  const url = new URL(database.url);
  url.pathname = 'nothing_of_that_name';
  expect(await open(url.href).catch(message)).toMatch(
    /\/nothing_of_that_name\) lets nobody in: .*does not exist\. Check the user, the password and the name/,
  );
});

test('somebody who takes connections and hangs up is not waited for any longer', async () => {
  const server = createServer(socket => socket.on('error', () => undefined).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const url = `postgres://segue:hidden@127.0.0.1:${port}/library`;
  const opening = connectThroughPooler({ url, applicationName: 'test', max: 1 });
  // Of the 5 s, what was left when the last try began.
  expect(await opening.catch(message)).toMatch(
    /cannot be reached: no answer within [45](\.\d)? s\. Is PostgreSQL running there\?/,
  );
});
