import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnKept } from '@segue/child-process/childProcess.ts';
import { createTestDatabase, useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connect } from './connection.ts';
import { connectThroughPooler } from './pooler.ts';

const database = useDatabase();
const settings = { enable_seqscan: 'off' };

test('without a pooler the settings hold, and statements are prepared', async () => {
  const sql = await connectThroughPooler({ url: database.url, applicationName: 'test', max: 1, settings });
  onTestFinished(() => sql.end());

  expect(await sql`SHOW enable_seqscan`).toEqual([{ enable_seqscan: 'off' }]);
  expect(await sql`SELECT count(*) > 0 AS prepared FROM pg_prepared_statements`).toEqual([
    { prepared: true },
  ]);
});

test('a database that is away is an error, and leaves no connection behind', async () => {
  const url = 'postgres://segue:hidden@127.0.0.1:1/segue';
  const opening = connectThroughPooler({ url, applicationName: 'test', max: 1, settings });
  await expect(opening).rejects.toThrow('ECONNREFUSED');
});

describe.skipIf(!hasPgbouncer())(
  'behind PgBouncer in transaction mode (skipped where it is not installed)',
  () => {
    test('the pool goes without settings and without prepared statements', async () => {
      const url = await startPgbouncer(database.url);
      const sql = await connectThroughPooler({ url, applicationName: 'test', max: 4, settings });
      onTestFinished(() => sql.end());

      const texts = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];
      // More at once than the pooler has sessions, again and again: each transaction meets another session.
      for (let round = 0; round < 5; round++) {
        const answers = await Promise.all(texts.map(text => sql`SELECT ${text}::text AS text`));
        expect(answers.flat()).toEqual(texts.map(text => ({ text })));
      }
    });

    test('moments are written as without it, whatever the database is set to', async () => {
      const german = await createTestDatabase();
      onTestFinished(() => german.drop());
      const name = german.sql(new URL(german.url).pathname.slice(1));
      await german.sql`ALTER DATABASE ${name} SET DateStyle = 'German'`;
      await german.sql`ALTER DATABASE ${name} SET TimeZone = 'Europe/Berlin'`;
      const url = await startPgbouncer(german.url);
      const sql = await connectThroughPooler({ url, applicationName: 'test', max: 2, settings });
      onTestFinished(() => sql.end());

      const [moment] = await sql`SELECT '2026-10-25 01:01:00+00'::timestamptz::text AS text`;
      expect(moment?.text).toBe('2026-10-25 01:01:00+00');
    });
  },
);

function hasPgbouncer(): boolean {
  try {
    execFileSync('pgbouncer', ['--version']);
    return true;
  } catch {
    return false;
  }
}

/** @returns the address of the same database through PgBouncer, with two sessions for all */
async function startPgbouncer(databaseUrl: string): Promise<string> {
  const { hostname, port, username, password } = new URL(databaseUrl);
  const folder = mkdtempSync(join(tmpdir(), 'segue-pgbouncer-'));
  chmodSync(folder, 0o755);
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const listenPort = await freePort();
  writeFileSync(join(folder, 'users.txt'), `"${username}" "${decodeURIComponent(password)}"\n`);
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `[databases]
* = host=${hostname} port=${port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = plain
auth_file = ${join(folder, 'users.txt')}
pool_mode = transaction
default_pool_size = 2
`,
  );
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? { user: { uid: 65_534, gid: 65_534 } } : {};
  const pgbouncer = await spawnKept('pgbouncer', [join(folder, 'pgbouncer.ini')], {
    output: () => undefined,
    ...user,
  });
  onTestFinished(async () => void (await pgbouncer.stop()));

  const url = Object.assign(new URL(databaseUrl), { hostname: '127.0.0.1', port: String(listenPort) });
  await eventually(async () => {
    const sql = connect({ url: url.href, applicationName: 'test', max: 1, prepare: false });
    try {
      await sql`SELECT 1`;
    } finally {
      await sql.end();
    }
  });
  return url.href;
}

/** PgBouncer takes no port 0. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return port;
}
