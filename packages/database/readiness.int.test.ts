import { useDatabase } from '@segue/testing/database.ts';
import { breakable } from '@segue/testing/proxy.ts';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from './connection.ts';
import { createReadiness } from './readiness.ts';

const database = useDatabase();
const tables = ['ingestion_outbox', 'ingestion_ledger'];

function open(settings = {}, url = database.url) {
  const sql = connect({ url, applicationName: 'test', max: 2, deadlineMs: 5_000, settings });
  onTestFinished(() => sql.end({ timeout: 0 }));
  return sql;
}

test('a database that can be written to is ready, and nothing is written', async () => {
  const sql = open();
  await expect(createReadiness(sql, tables).check()).resolves.toBeUndefined();
  expect(await sql`SELECT FROM ingestion_outbox`).toHaveLength(0);
});

test('a read-only server is not', async () => {
  const readiness = createReadiness(open({ default_transaction_read_only: 'on' }), tables);
  await expect(readiness.check()).rejects.toMatchObject({
    code: '25006',
    message: 'the server is read-only',
  });
});

test('a table that somebody has locked is not', async () => {
  const terminal = await database.sql.reserve();
  await terminal`BEGIN`;
  await terminal`LOCK TABLE ingestion_ledger IN SHARE MODE`;
  try {
    await expect(createReadiness(open(), tables).check()).rejects.toMatchObject({ code: '55P03' });
  } finally {
    await terminal`ROLLBACK`;
    terminal.release();
  }
});

test('a silent connection is not, and neither does the next asking wait for it', async () => {
  await using proxy = await breakable(database.url);
  const sql = open({}, proxy.url);
  await sql`SELECT 1`;
  proxy.silence();
  const readiness = createReadiness(sql, tables);
  await expect(readiness.check()).rejects.toMatchObject({ code: 'ETIMEDOUT' });
});

test('the database is asked once, however many ask', async () => {
  const readiness = createReadiness(open(), tables);
  const [first, second] = [readiness.check(), readiness.check()];
  expect(second).toBe(first);
  await first;
});
