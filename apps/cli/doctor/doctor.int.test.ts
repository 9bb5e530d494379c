import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, type Sql } from '@segue/database/connection.ts';
import { startInngest } from '@segue/stand-ins/inngest/server.ts';
import { startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import { startTidal } from '@segue/stand-ins/tidal/server.ts';
import { createTestDatabase, useDatabase } from '@segue/testing/database.ts';
import { breakable } from '@segue/testing/proxy.ts';
import { ensureCollection } from '@segue/track-index/collection.ts';
import { connectToIndex } from '@segue/track-index/connect.ts';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { outbox } from '../test/terminal.ts';
import type { Check, CheckContext } from './check.ts';
import { checks } from './checks.ts';
import { type Examined, examine } from './examine.ts';

const database = useDatabase();
const away = 'http://127.0.0.1:1';

/** A relay that lives and has all slots. */
beforeEach(async () => {
  await database.sql`TRUNCATE relays`;
  await addRelay('0.1.0');
  await database.sql`
    UPDATE relay_slots SET owner = (SELECT id FROM relays), lease_end = now() + interval '5 seconds'`;
});

const addRelay = (version: string) =>
  database.sql`INSERT INTO relays (id, host, version) VALUES (gen_random_uuid(), 'box', ${version})`;

/** What one check finds, by itself. */
async function findingOf(name: string, given: Partial<CheckContext> = {}): Promise<Examined> {
  const check = checks.find(check => check.name === name) as Check;
  const context = {
    environment: {},
    url: database.url,
    sql: database.sql,
    oldAfterMs: 900_000,
    now: Date.now,
    ...given,
  };
  const [examined] = examine([check], context, new AbortController().signal);
  return (await examined) as Examined;
}

/** A session of its own, for what must not stand on the pool. */
async function withSession(work: (sql: Sql) => Promise<void>): Promise<void> {
  const sql = connect({ url: database.url, applicationName: 'segue-forgetful', max: 1 });
  try {
    await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** What is to be said of a fault: a line with its figure, and what mends it. */
const found = (state: 'failure' | 'warning', summary: string, remedy: string) => ({
  state,
  summary: expect.stringContaining(summary),
  remedy: expect.stringContaining(remedy),
});

async function indexWith(vectors?: { size: number; distance: 'Dot' }) {
  const qdrant = await startQdrant();
  onTestFinished(() => qdrant.close());
  const connection = connectToIndex({ url: qdrant.url, collection: 'tracks', timeoutMs: 10_000 });
  if (vectors) await connection.call(client => client.createCollection('tracks', { vectors }));
  return { QDRANT_URL: qdrant.url, connection };
}

async function serve(status: number, body: object): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end(JSON.stringify(body)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('while all is well', () => {
  test('every check is ok', async () => {
    const [inngest, tidal, { QDRANT_URL, connection }] = await Promise.all([
      startInngest(),
      startTidal(),
      indexWith(),
    ]);
    onTestFinished(async () => void (await Promise.all([inngest.close(), tidal.close()])));
    await ensureCollection(connection);
    const run = await outbox(['doctor', '--json'], {
      environment: {
        DATABASE_URL: database.url,
        QDRANT_URL,
        INNGEST_BASE_URL: inngest.url,
        INNGEST_EVENT_KEY: 'a-secret-key',
        CONSOLE_WORKERS: await serve(200, { status: 'ready', inngest: 'ok', qdrant: 'ok' }),
        TIDAL_AUTH_URL: tidal.authUrl,
        TIDAL_CLIENT_ID: tidal.clientId,
        TIDAL_CLIENT_SECRET: tidal.clientSecret,
      },
    });
    const { checks: all, summary } = run.document() as { checks: Examined[]; summary: object };
    expect(all.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(summary).toEqual({ ok: checks.length, warnings: 0, failures: 0, skipped: 0 });
    expect(run.code).toBe(0);
    expect(run.stdout).not.toMatch(new RegExp(`a-secret-key|${tidal.clientSecret}`));
  });

  test('a login that has the rights of a relay alone can ask, too', async () => {
    const settings = { role: 'segue_relay' };
    const sql = connect({ url: database.url, applicationName: 'test', max: 1, settings });
    onTestFinished(() => sql.end());
    for (const name of ['database', 'migrations', 'rights', 'vacuum', 'relays', 'versions']) {
      expect(await findingOf(name, { sql })).toMatchObject({ state: 'ok' });
    }
  });

  test('what is not configured here is skipped', async () => {
    const run = await outbox(['doctor', '--json', '--only', 'qdrant,inngest,worker,tidal'], {
      environment: { DATABASE_URL: database.url },
    });
    expect(run.document()).toMatchObject({ summary: { skipped: 4, failures: 0 } });
  });
});

describe('of what can go wrong it finds', () => {
  test('a database that is away; what needs it is skipped', async () => {
    const url = 'postgres://somebody:secret@127.0.0.1:1/segue';
    const run = await outbox(['doctor', '--json', '--only', 'database,clock'], {
      environment: { DATABASE_URL: url },
    });
    expect(run.code).toBe(10);
    expect(run.document()).toMatchObject({
      checks: [
        { name: 'database', ...found('failure', 'does not answer', 'DATABASE_URL') },
        { name: 'clock', state: 'skipped' },
      ],
      summary: { failures: 1, skipped: 1 },
    });
    expect(run.stdout).not.toContain('secret');
  });

  test('a database that takes no writes', async () => {
    const sql = connect({
      url: database.url,
      applicationName: 'test',
      max: 1,
      settings: { default_transaction_read_only: 'on' },
    });
    onTestFinished(() => sql.end());
    expect(await findingOf('database', { sql })).toMatchObject(
      found('failure', 'is read-only', 'name the primary'),
    );
  });

  test('a database that was never migrated, and one that lacks the last migration', async () => {
    const empty = await createTestDatabase({ migrated: false });
    onTestFinished(() => empty.drop());
    expect(await findingOf('migrations', { sql: empty.sql })).toMatchObject(
      found('failure', 'no tables of ours', 'npm run migrate'),
    );
    const late = await createTestDatabase();
    onTestFinished(() => late.drop());
    await late.sql`
      DELETE FROM segue_migrations WHERE created_at = (SELECT max(created_at) FROM segue_migrations)`;
    expect(await findingOf('migrations', { sql: late.sql })).toMatchObject(
      found('failure', '1 are not applied', 'npm run migrate'),
    );
  });

  test('a role that lost a right', async () => {
    await database.sql`REVOKE UPDATE ON ingestion_outbox FROM segue_relay`;
    onTestFinished(async () => void (await database.sql`GRANT UPDATE ON ingestion_outbox TO segue_relay`));
    expect(await findingOf('rights')).toMatchObject(
      found('failure', 'segue_relay may not UPDATE ingestion_outbox', 'GRANT UPDATE ON ingestion_outbox'),
    );
  });

  test('a role that is missing, which is of the whole cluster and so made up here', async () => {
    const sql = (async () => [
      { role: 'segue_operator', table: 'ingestion_actions', right: 'SELECT', exists: false },
    ]) as unknown as Sql;
    expect(await findingOf('rights', { sql })).toMatchObject(
      found('warning', 'no role segue_operator', 'CREATE ROLE segue_operator NOLOGIN'),
    );
  });

  test('a clock that is an hour ahead', async () => {
    expect(await findingOf('clock', { now: () => Date.now() + 3_600_000 })).toMatchObject(
      found('failure', '3600.0 s ahead of the database', 'NTP'),
    );
  });

  test('hints that do not arrive', async () => {
    await using line = await breakable(database.url);
    line.resetAt('listen');
    expect(await findingOf('listen', { url: line.url })).toMatchObject(
      found('warning', 'no hint arrives', 'direct DATABASE_URL'),
    );
  });

  test('a transaction that is left open', async () => {
    await withSession(async sql => {
      await sql.begin(async transaction => {
        await transaction`SELECT 1`;
        expect(await findingOf('vacuum', { oldAfterMs: 0 })).toMatchObject(
          found('failure', 'segue-forgetful', 'pg_terminate_backend'),
        );
      });
    });
  });

  test('a prepared transaction that nobody ends', async ({ skip }) => {
    const [{ most }] = await database.sql<[{ most: number }]>`
      SELECT current_setting('max_prepared_transactions')::int AS most`;
    skip(most === 0, 'the server of TEST_DATABASE_URL allows no prepared transactions, as by default');
    const name = `forgotten_${process.pid}`;
    await withSession(async sql => void (await sql.unsafe(`BEGIN; SELECT 1; PREPARE TRANSACTION '${name}'`)));
    onTestFinished(async () => void (await database.sql.unsafe(`ROLLBACK PREPARED '${name}'`)));
    expect(await findingOf('vacuum', { oldAfterMs: 0 })).toMatchObject(
      found('failure', name, 'ROLLBACK PREPARED'),
    );
  });

  test('a replication slot that nobody reads', async () => {
    const name = `unread_${process.pid}`;
    await database.sql`SELECT pg_create_physical_replication_slot(${name}, true)`;
    onTestFinished(async () => void (await database.sql`SELECT pg_drop_replication_slot(${name})`));
    expect(await findingOf('vacuum')).toMatchObject(
      found('failure', 'a replication slot is not read', 'pg_drop_replication_slot'),
    );
  });

  test('slots that a relay holds which is gone', async () => {
    await database.sql`
      UPDATE relay_slots SET owner = ${randomUUID()}, lease_end = now() + interval '1 day' WHERE slot < 3`;
    expect(await findingOf('relays')).toMatchObject(
      found('failure', '3 of 32 slots are held by a relay that is gone', 'outbox release-stuck'),
    );
  });

  test('that no relay lives', async () => {
    await database.sql`UPDATE relays SET last_heartbeat = now() - interval '2 minutes'`;
    await database.sql`UPDATE relay_slots SET lease_end = now() - interval '2 minutes'`;
    expect(await findingOf('relays')).toMatchObject(
      found('failure', 'no relay has given a sign of life', 'npm run relay'),
    );
  });

  test('a Qdrant that is away', async () => {
    expect(await findingOf('qdrant', { environment: { QDRANT_URL: away } })).toMatchObject(
      found('failure', 'does not answer', 'QDRANT_URL'),
    );
  });

  test('a Qdrant that does not take the key', async () => {
    const QDRANT_URL = await serve(401, { status: { error: 'Must provide an API key' } });
    expect(await findingOf('qdrant', { environment: { QDRANT_URL, QDRANT_API_KEY: 'wrong' } })).toMatchObject(
      found('failure', 'does not take the key', 'QDRANT_API_KEY'),
    );
  });

  test('a collection that is missing', async () => {
    const { QDRANT_URL } = await indexWith();
    expect(await findingOf('qdrant', { environment: { QDRANT_URL } })).toMatchObject(
      found('warning', 'has no collection tracks', 'start the worker'),
    );
  });

  test('a collection of another shape', async () => {
    const { QDRANT_URL } = await indexWith({ size: 4, distance: 'Dot' });
    expect(await findingOf('qdrant', { environment: { QDRANT_URL } })).toMatchObject(
      found('failure', 'has another shape', 'QDRANT_COLLECTION'),
    );
  });

  test('an Inngest that is away', async () => {
    const environment = { INNGEST_BASE_URL: away, INNGEST_EVENT_KEY: 'key' };
    expect(await findingOf('inngest', { environment })).toMatchObject(
      found('failure', 'does not answer', 'INNGEST_BASE_URL'),
    );
  });

  test('an Inngest that does not know the key', async () => {
    const inngest = await startInngest({ eventKey: 'another' });
    onTestFinished(() => inngest.close());
    const environment = { INNGEST_BASE_URL: inngest.url, INNGEST_EVENT_KEY: 'wrong' };
    expect(await findingOf('inngest', { environment })).toMatchObject(
      found('failure', 'does not know the key', 'INNGEST_EVENT_KEY'),
    );
  });

  test('a worker whose functions Inngest does not have, and one that is away', async () => {
    const waiting = await serve(503, { status: 'waiting', inngest: 'unavailable', qdrant: 'ok' });
    expect(await findingOf('worker', { environment: { CONSOLE_WORKERS: waiting } })).toMatchObject(
      found('failure', `Inngest does not have the functions of ${waiting}`, 'worker-down'),
    );
    expect(await findingOf('worker', { environment: { CONSOLE_WORKERS: away } })).toMatchObject(
      found('failure', 'does not answer', 'worker-down'),
    );
  });

  test('credentials that TIDAL does not take', async () => {
    const tidal = await startTidal();
    onTestFinished(() => tidal.close());
    const environment = {
      TIDAL_AUTH_URL: tidal.authUrl,
      TIDAL_CLIENT_ID: tidal.clientId,
      TIDAL_CLIENT_SECRET: 'wrong',
    };
    expect(await findingOf('tidal', { environment })).toMatchObject(
      found('failure', 'gives no token', 'TIDAL_CLIENT_SECRET'),
    );
  });

  test('relays of two versions', async () => {
    await addRelay('0.2.0');
    expect(await findingOf('versions')).toMatchObject(
      found('warning', 'relays of 0.1.0 and 0.2.0 run together', 'restart the older ones'),
    );
  });
});
