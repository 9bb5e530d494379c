import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { hint } from '@segue/outbox/hint.ts';
import { createTestDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { breakable } from '@segue/testing/proxy.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { addressOf, newIsrc, useRelayProcesses } from './relayProcess.ts';

const here = useRelayProcesses();

const some = (count: number) => Array.from({ length: count }, newIsrc);
const asRows = (isrcs: string[]) => isrcs.map(isrc => ({ isrc }));
const statuses = () =>
  here.sql`SELECT status, count(*)::int FROM ingestion_outbox GROUP BY status`.then(rows =>
    Object.fromEntries(rows.map(({ status, count }) => [status, count])),
  );
const scheduledRows = async () => (await statuses()).scheduled ?? 0;

test('a relay starts, says where it is, drains, and stops with 0', async () => {
  const isrcs = some(50);
  await here.add(asRows(isrcs));
  const relay = await here.start();
  const address = await addressOf(relay);

  expect((await fetch(`${address}/livez`)).status).toBe(200);
  expect((await fetch(`${address}/readyz`)).status).toBe(200);
  expect(await here.drained()).toEqual({ scheduled: 50 });
  here.expectOneEventEach(isrcs);

  expect(await relay.stop()).toEqual({ code: 0, signal: null });
  expect(relay.logs.filter(({ event }) => event === 'ingestion_scheduled')).toHaveLength(50);
  // Nothing but JSON lines, and the key in none of them.
  expect(relay.output).toHaveLength(relay.logs.length);
  expect(relay.output.join()).not.toContain('a-secret-event-key');
});

test('a key that goes over http is warned of in a line of the log, not in one of the client', async () => {
  const relay = await here.start({ QDRANT_API_KEY: 'a-secret-api-key' });
  await addressOf(relay);
  expect(relay.logs.filter(({ level }) => level === 40)).toMatchObject([
    { msg: expect.stringMatching(/^QDRANT_API_KEY is sent unencrypted/) },
  ]);
  await relay.stop();
  expect(relay.output).toHaveLength(relay.logs.length);
  expect(relay.output.join()).not.toContain('a-secret-api-key');
});

test('a relay takes seven connections at the most, whatever its concurrency', async () => {
  const relay = await here.start({ RELAY_CONCURRENCY: '16', RELAY_BATCH_SIZE: '20' });
  const address = await addressOf(relay);
  await here.add(asRows(some(1_000)));
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      for (const path of ['/readyz', '/metrics', '/']) await (await fetch(address + path)).text();
    }),
  );
  expect(await here.drained()).toEqual({ scheduled: 1_000 });

  // What a pool has opened it keeps.
  const [{ count }] = await here.sql<[{ count: number }]>`
    SELECT count(*)::int FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'segue-relay%'`;
  // Two for the rows, three besides, and of those that hear hints one listens and one sends the relay its own word.
  expect(count).toBeLessThanOrEqual(7);
});

describe('a configuration error is one line that names the variable, and exit code 1', () => {
  test.each<[string, Record<string, string>, string]>([
    ['nothing set', { DATABASE_URL: '', QDRANT_URL: '' }, 'DATABASE_URL is not set; QDRANT_URL is not set'],
    ['no event key', { INNGEST_EVENT_KEY: '' }, 'INNGEST_EVENT_KEY is not set'],
    ['no number', { RELAY_BATCH_SIZE: 'hunter2' }, 'RELAY_BATCH_SIZE must be a whole number'],
    ['no address', { DATABASE_URL: 'hunter2' }, 'DATABASE_URL must be a postgres:// address'],
  ])('%s', async (_, env, problem) => {
    const relay = await here.start(env);
    expect(await relay.exited).toEqual({ code: 1, signal: null });
    expect(relay.output).toHaveLength(1);
    expect(relay.logs[0]?.msg).toContain(`wrong configuration: ${problem}`);
    expect(relay.output[0]).not.toContain('hunter2');
  });

  test('a port that is taken, and nothing is claimed', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    await here.add(asRows(some(5)));
    const relay = await here.start({ RELAY_PORT: String(port) });

    expect(await relay.exited).toEqual({ code: 1, signal: null });
    expect(relay.output).toHaveLength(1);
    expect(relay.logs[0]?.msg).toContain(`RELAY_PORT ${port} is taken`);
    expect(await statuses()).toEqual({ pending: 5 });
  });
});

test('a hint wakes a relay that would look again in a minute', async () => {
  const relay = await here.start({ RELAY_POLL_INTERVAL_MS: '60000' });
  await addressOf(relay);
  const isrcs = some(3);
  await here.add(asRows(isrcs));
  // The first of them may come before the relay listens.
  await eventually(async () => {
    await hint(here.sql);
    expect(await statuses()).toEqual({ scheduled: 3 });
  });
});

describe('SIGTERM', () => {
  test('under load: what is in hand is settled or handed back, and nothing of it is lost', async () => {
    const isrcs = some(2_000);
    await here.add(asRows(isrcs));
    let calls = 0;
    const stopping = Promise.withResolvers<void>();
    here.inngest.answerWith(async () => {
      // The backlog is not gone before the signal has come.
      if (++calls > 2) await stopping.promise;
      return undefined;
    });
    const relay = await here.start({ RELAY_BATCH_SIZE: '20', RELAY_CONCURRENCY: '4' });
    await eventually(async () => expect(await scheduledRows()).toBeGreaterThan(0));
    relay.kill('SIGTERM');
    await relay.waitForLog(({ event }) => event === 'process_stopping');
    stopping.resolve();

    expect(await relay.exited).toEqual({ code: 0, signal: null });
    const left = await statuses();
    expect(left.in_flight).toBeUndefined();
    expect(left.pending).toBeGreaterThan(0);
    // What it said is what it did.
    expect(relay.logs.filter(({ event }) => event === 'ingestion_scheduled')).toHaveLength(
      left.scheduled ?? 0,
    );
    expect(here.inngest.events()).toHaveLength(left.scheduled ?? 0);

    here.inngest.answerWith(null);
    await here.start();
    expect(await here.drained()).toEqual({ scheduled: 2_000 });
    here.expectOneEventEach(isrcs);
    expect(here.inngest.events()).toHaveLength(2_000);
  });

  test('while Inngest hangs: all is handed back at once, within the 10 s of a stop', async () => {
    const hanging = Promise.withResolvers<void>();
    here.inngest.answerWith(() => {
      hanging.resolve();
      return 'hang';
    });
    await here.add(asRows(some(30)));
    const relay = await here.start({ RELAY_BATCH_SIZE: '10' });
    await hanging.promise;
    await relay.stop();

    expect(await relay.exited).toEqual({ code: 0, signal: null });
    expect(await statuses()).toEqual({ pending: 30 });
    expect(await here.sql`SELECT FROM ingestion_outbox WHERE available_at > now() OR attempts > 0`).toEqual(
      [],
    );
  });

  test('sent again ends it at once', async () => {
    const hanging = Promise.withResolvers<void>();
    here.inngest.answerWith(() => {
      hanging.resolve();
      return 'hang';
    });
    await here.add(asRows(some(1)));
    const relay = await here.start();
    await hanging.promise;
    relay.kill('SIGTERM');
    await relay.waitForLog(({ msg }) => msg === 'stopping');
    // One that comes within 200 ms is an echo of the first.
    const impatience = setInterval(() => relay.kill('SIGTERM'), 50);
    expect(await relay.exited).toEqual({ code: 143, signal: null });
    clearInterval(impatience);
  });
});

test('SIGSTOP past the lease, then SIGCONT: the late settlement changes nothing, and is told once', async () => {
  const isrcs = some(8);
  await here.add(asRows(isrcs));
  const late = await here.start({ RELAY_LEASE_MS: '3000', RELAY_CONCURRENCY: '1' });
  here.inngest.answerWith(() => {
    // The events arrive, and their sender does not live to hear of it for now.
    late.kill('SIGSTOP');
    here.inngest.answerWith(null);
    return undefined;
  });
  await eventually(() => expect(here.inngest.events()).toHaveLength(8));
  await here.start();
  expect(await here.drained()).toEqual({ scheduled: 8 });
  const everything = () => here.sql`SELECT * FROM ingestion_outbox ORDER BY id`;
  const ledger = () => here.sql`SELECT * FROM ingestion_ledger ORDER BY isrc`;
  const before = [await everything(), await ledger()];

  late.kill('SIGCONT');
  const line = await late.waitForLog(({ msg }) => msg?.startsWith('lease lost') ?? false);
  await late.stop();
  expect(line).toMatchObject({ level: 40, slots: expect.any(Number) });
  expect(late.logs.filter(({ event }) => event === 'lease_lost')).toHaveLength(1);
  expect(late.logs.filter(({ event }) => event === 'ingestion_scheduled')).toEqual([]);
  expect([await everything(), await ledger()]).toEqual(before);
  here.expectOneEventEach(isrcs);
});

describe('a database that is away', () => {
  test('at the start: the relay says so in one line, and exits 1', async () => {
    await using database = await breakable(here.url);
    await database.cut();
    const relay = await here.start({ DATABASE_URL: database.url });
    expect(await relay.exited).toEqual({ code: 1, signal: null });
    expect(relay.output).toHaveLength(1);
    expect(relay.logs[0]?.msg).toMatch(
      /^not started: the database of DATABASE_URL \(.*\) cannot be reached: connect ECONNREFUSED/,
    );
  });

  test('there, but without tables: the relay says what to do', async () => {
    await using empty = await createTestDatabase({ migrated: false });
    const relay = await here.start({ DATABASE_URL: empty.url });
    expect(await relay.exited).toEqual({ code: 1, signal: null });
    expect(relay.logs[0]?.msg).toContain('npm run migrate');
  });

  test('for a while, again and again: the same process goes on, and nothing is lost', async () => {
    await using database = await breakable(here.url);
    const isrcs = some(300);
    await here.add(asRows(isrcs));
    const relay = await here.start({
      DATABASE_URL: database.url,
      RELAY_BATCH_SIZE: '10',
      RELAY_LEASE_MS: '3000',
    });
    let calls = 0;
    here.inngest.answerWith(async () => {
      if (++calls % 5 === 0 && calls <= 25) {
        await database.cut();
        await database.mend();
      }
      return undefined;
    });
    expect(await here.drained()).toEqual({ scheduled: 300 });
    here.expectOneEventEach(isrcs);
    expect(await relay.stop()).toEqual({ code: 0, signal: null });
  });

  // The first thing that the driver does on a connection is to ask for the array types.
  test('and resets a connection that is just being made: the same process goes on', async () => {
    await using database = await breakable(here.url);
    const relay = await here.start({ DATABASE_URL: database.url });
    await addressOf(relay);
    await database.cut();
    database.resetAt('pg_catalog.pg_type');
    await database.mend();

    const isrcs = some(10);
    await here.add(asRows(isrcs));
    const died = relay.exited.then(exit => {
      throw new Error(`the relay ended: ${JSON.stringify(exit)}`);
    });
    died.catch(() => undefined);
    expect(await Promise.race([died, here.drained()])).toEqual({ scheduled: 10 });
    here.expectOneEventEach(isrcs);
  });
});
