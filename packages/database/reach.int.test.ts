import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { useDatabase } from '@segue/testing/database.ts';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { migrate } from './migrate.ts';
import { isOutage } from './outage.ts';
import { connectThroughPooler } from './pooler.ts';
import { reach } from './reach.ts';

const database = useDatabase();

afterEach(() => {
  vi.useRealTimers();
});

const openings: [string, (url: string) => Promise<unknown>][] = [
  ['a relay', url => connectThroughPooler({ url, applicationName: 'test', max: 1 })],
  ['a migration', url => migrate(url)],
];

test('a database that answers is reached', async () => {
  await expect(reach(database.sql)).resolves.toBeUndefined();
});

test.each(openings)(
  '%s is told which database is away, and what to do; not the password',
  async (_, open) => {
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

test.each(openings)('%s waits 10 s for somebody who takes connections and hangs up', async (_, open) => {
  const server = createServer(socket => socket.on('error', () => undefined).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });

  const opening = open(`postgres://segue:hidden@127.0.0.1:${port}/library`).catch(error => error.message);
  // Each is a new try, none of which takes 5 s.
  for (let seconds = 0; seconds < 10; seconds += 2) {
    await once(server, 'connection');
    await vi.advanceTimersByTimeAsync(2_000);
  }
  expect(await opening).toContain('cannot be reached: no answer within 10 s. Is PostgreSQL running there?');
});
