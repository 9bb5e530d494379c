import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { breakable } from '@segue/testing/proxy.ts';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from './connection.ts';
import { isOutage } from './outage.ts';

const database = useDatabase();

async function pools(deadlineMs: number) {
  const proxy = await breakable(database.url);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const lost: string[] = [];
  const open = (max: number) => {
    const sql = connect({
      url: proxy.url,
      applicationName: 'test',
      max,
      deadlineMs,
      onLost: message => lost.push(message),
    });
    onTestFinished(() => sql.end({ timeout: 0 }));
    return sql;
  };
  return { proxy, lost, open };
}

test('a statement on a silent connection fails at its deadline, and what idles as silently is not asked', async () => {
  const { proxy, lost, open } = await pools(1_000);
  const [asked, idle] = [open(1), open(3)];
  await Promise.all([asked`SELECT 1`, ...[1, 2, 3].map(() => idle`SELECT pg_sleep(0.1)`)]);

  proxy.silence();
  const error = await asked`SELECT 1`.catch(error => error);
  expect(error.message).toBe('no answer within 1 s');
  expect(isOutage(error)).toBe(true);
  await eventually(() => idle`SELECT 1`);
  await eventually(() => asked`SELECT 1`);
  expect(lost).toEqual([
    'a database connection gave no answer within 1000 ms; closed it and 3 idle ones to connect anew',
  ]);
});

test('a statement that the server breaks off in time costs no connection', async () => {
  const { lost, open } = await pools(3_000);
  const sql = open(1);
  const [before] = await sql`SELECT pg_backend_pid() AS pid`;
  await expect(sql`SELECT pg_sleep(60)`).rejects.toMatchObject({ code: '57014' });
  expect(await sql`SELECT pg_backend_pid() AS pid`).toEqual([before]);
  expect(lost).toEqual([]);
});

test('a session of a server that became read-only is left', async () => {
  const { lost, open } = await pools(5_000);
  const sql = open(2);
  const pids = () => sql`SELECT pg_backend_pid() AS pid`;
  const [before] = await pids();
  const name = database.sql(new URL(database.url).pathname.slice(1));
  await database.sql`ALTER DATABASE ${name} SET default_transaction_read_only = on`;
  await sql`SET default_transaction_read_only = on`;
  await database.sql`ALTER DATABASE ${name} RESET default_transaction_read_only`;

  const insert = () =>
    sql`INSERT INTO ingestion_outbox (isrc, title, artist, album) VALUES ('USRC17607839', 'T', 'A', 'A')`;
  await expect(insert()).rejects.toMatchObject({ code: '25006' });
  await eventually(insert);
  expect(await pids()).not.toContainEqual(before);
  expect(lost).toEqual([expect.stringMatching(/^the database is read-only; closed \d connections/)]);
});
