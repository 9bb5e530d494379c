import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { useDatabase } from '@segue/testing/database.ts';
import { breakable } from '@segue/testing/proxy.ts';
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

test.concurrent.for(openings)(
  '%s is told which database is away, and what to do; not the password',
  async ([, open], { expect }) => {
    const error = await open('postgres://segue:hidden@127.0.0.1:1/library?password=hidden').catch(
      (error: Error) => error,
    );
    expect((error as Error).message).toBe(
      'the database of DATABASE_URL (segue@127.0.0.1:1/library) cannot be reached: connect ECONNREFUSED 127.0.0.1:1. Is PostgreSQL running there?',
    );
    expect(isOutage(error)).toBe(true);
  },
);

test.each(openings)('%s is told that a database is not there', async (_, open) => {
  const url = new URL(database.url);
  url.pathname = 'nothing_of_that_name';
  await expect(open(url.href)).rejects.toThrow(
    /\/nothing_of_that_name\) lets nobody in: .*does not exist\. Check the user, the password and the name/,
  );
});

test.concurrent.for(openings)(
  '%s waits 5 s for somebody who takes connections and hangs up',
  async ([, open], { expect, onTestFinished }) => {
    let connections = 0;
    const server = createServer(socket => {
      connections += 1;
      socket.on('error', () => undefined).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const opening = open(`postgres://segue:hidden@127.0.0.1:${port}/library`).catch(error => error.message);
    expect(await opening).toContain('cannot be reached: no answer within 5 s. Is PostgreSQL running there?');
    // Each is a new try, none of which takes 5 s.
    expect(connections).toBeGreaterThan(5);
  },
);
