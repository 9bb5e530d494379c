import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { spawnKept } from '@segue/child-process/childProcess.ts';
import { eventually } from '@segue/testing/eventually.ts';
import postgres from 'postgres';
import { expect, onTestFinished, test } from 'vitest';
import { homeOf } from './home.ts';
import { type LocalPostgresOptions, startLocalPostgres } from './localPostgres.ts';

const settings = { fsync: 'off' };

test('takes connections at its URL alone, and only with the password', async () => {
  const { url } = await start({ dataFolder: await freshFolder(), persistent: false });

  const [row] = await query(
    url,
    sql => sql`
    SELECT current_database(), current_user, current_setting('server_encoding') AS encoding,
           current_setting('listen_addresses') AS addresses, current_setting('server_version_num')::int / 10000 AS major
  `,
  );
  expect(row).toEqual({
    current_database: 'segue',
    current_user: 'segue',
    encoding: 'UTF8',
    addresses: '127.0.0.1',
    major: 18,
  });
  const wrong = new URL(url);
  wrong.password = 'segue';
  await expect(query(wrong.href, sql => sql`SELECT 1`)).rejects.toThrow('password authentication failed');
});

test('what is persistent survives a restart, password and all', async () => {
  const dataFolder = await freshFolder();
  const first = await start({ dataFolder, persistent: true });
  await query(first.url, sql => sql`CREATE TABLE kept AS SELECT 1 AS id`);
  await first.stop();

  const second = await start({ dataFolder, persistent: true, port: first.port });
  expect(second.url).toBe(first.url);
  expect(await query(second.url, sql => sql`SELECT id FROM kept`)).toEqual([{ id: 1 }]);
});

test('what is not persistent leaves nothing', async () => {
  const dataFolder = await freshFolder();
  const { folder } = await homeOf(dataFolder);
  const server = await start({ dataFolder, persistent: false });
  expect(existsSync(folder)).toBe(true);

  await server.stop();
  expect(existsSync(folder)).toBe(false);
});

test('takes another port when the preferred one is taken', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await eventually(() => expect(other.listening).toBe(true));
  const { port } = other.address() as { port: number };

  const server = await start({ dataFolder: await freshFolder(), persistent: false, port });
  expect(server.port).not.toBe(port);
  expect(await query(server.url, sql => sql`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
});

test('a setting that PostgreSQL does not know is told in its words', async () => {
  const options = { dataFolder: await freshFolder(), persistent: false, settings: { no_such: 'on' } };
  await expect(start(options)).rejects.toThrow('unrecognized configuration parameter "no_such"');
});

test('two servers do not share data', async () => {
  const dataFolder = await freshFolder();
  await start({ dataFolder, persistent: true });
  await expect(start({ dataFolder, persistent: true })).rejects.toThrow('is at work on');
});

test('after a SIGKILL of its parent, the server ends in good order, and the next start waits for that', async () => {
  const dataFolder = await freshFolder();
  const parent = startParent(dataFolder);
  const url = await nextLine(parent);
  const client = postgres(url, { max: 1, onclose: () => undefined });
  onTestFinished(() => client.end({ timeout: 0 }));
  await client`CREATE TABLE kept AS SELECT 1 AS id`;
  parent.kill('SIGKILL');

  const log: string[] = [];
  const next = await start({ dataFolder, persistent: true, onLog: line => log.push(line) });
  expect(await query(next.url, sql => sql`SELECT id FROM kept`)).toEqual([{ id: 1 }]);
  // Otherwise it "was interrupted".
  expect(log.join('\n')).toContain('database system was shut down at');
});

test('a first start that was killed half-way is no hindrance', async () => {
  const dataFolder = await freshFolder();
  const { folder, parent: homes } = await homeOf(dataFolder);
  const halfMade = async () => (await readdir(homes)).filter(name => name.startsWith(`${basename(folder)}.`));
  const parent = startParent(dataFolder);
  await eventually(async () => {
    const [draft] = await halfMade();
    expect(existsSync(join(homes, draft ?? 'none', 'data', 'PG_VERSION'))).toBe(true);
  });
  parent.kill('SIGKILL');
  expect(existsSync(folder)).toBe(false);

  const { url } = await start({ dataFolder, persistent: true });
  expect(await query(url, sql => sql`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
  await eventually(async () => expect(await halfMade()).toEqual([]), { timeoutMs: 20_000 });
});

test('a postmaster.pid whose number has gone to another process is seen through', async () => {
  const dataFolder = await freshFolder();
  const { folder, user } = await homeOf(dataFolder);
  const server = await start({ dataFolder, persistent: true });
  const port = server.port;
  await server.stop();
  const other = await spawnKept('/bin/sleep', ['60'], { ...(user && { user }), output: 'inherit' });
  onTestFinished(async () => void (await other.stop()));
  const lines = [
    other.pid,
    join(folder, 'data'),
    1_700_000_000,
    port,
    '',
    '127.0.0.1',
    '  1  2',
    'ready   ',
    '',
  ];
  await writeFile(join(folder, 'data', 'postmaster.pid'), lines.join('\n'));

  const next = await start({ dataFolder, persistent: true });
  expect(await query(next.url, sql => sql`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
});

/** A path in a folder that only we can look into. */
async function freshFolder(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'segue-local-postgres-'));
  const dataFolder = join(parent, randomBytes(4).toString('hex'));
  const { folder } = await homeOf(dataFolder);
  onTestFinished(async () => {
    await rm(folder, { recursive: true, force: true });
    await rm(parent, { recursive: true, force: true });
  });
  return dataFolder;
}

async function start(options: LocalPostgresOptions) {
  const server = await startLocalPostgres({ settings, ...options });
  onTestFinished(() => server.stop());
  return server;
}

async function query<T>(url: string, ask: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1 });
  try {
    return await ask(sql);
  } finally {
    await sql.end();
  }
}

/** A process of its own that starts a server, writes its URL and can be killed in our stead. */
function startParent(dataFolder: string): ChildProcess {
  const options = JSON.stringify({ dataFolder, settings, persistent: true });
  const script = `
    const { startLocalPostgres } = await import(${JSON.stringify(new URL('localPostgres.ts', import.meta.url).href)});
    console.log((await startLocalPostgres(${options})).url);
  `;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void parent.kill('SIGKILL'));
  return parent;
}

async function nextLine(parent: ChildProcess): Promise<string> {
  if (parent.stdout) for await (const line of createInterface(parent.stdout)) return line;
  throw new Error('The parent ended without a line.');
}
