import { connect, type Sql } from '@segue/database/connection.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { expect, test } from 'vitest';
import { outbox } from '../test/terminal.ts';
import type { Check, CheckContext } from './check.ts';
import { checks } from './checks.ts';
import { type Examined, examine } from './examine.ts';

const database = useDatabase();

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

test('database: PostgreSQL that answers is told with its version', async () => {
  expect(await findingOf('database')).toMatchObject({
    state: 'ok',
    summary: expect.stringMatching(/^PostgreSQL 1\d answers/),
  });
});

test('database: one that is away fails, and what needs it is skipped', async () => {
  const url = 'postgres://somebody:secret@127.0.0.1:1/segue';
  const run = await outbox(['doctor', '--json', '--only', 'database,clock'], {
    environment: { DATABASE_URL: url },
  });
  expect(run.code).toBe(10);
  expect(run.document()).toMatchObject({
    checks: [
      { name: 'database', state: 'failure' },
      { name: 'clock', state: 'skipped' },
    ],
    summary: { failures: 1, skipped: 1 },
  });
  expect(run.stdout).not.toContain('secret');
});

test('clock: an hour of difference fails', async () => {
  expect(await findingOf('clock')).toMatchObject({ state: 'ok' });
  expect(await findingOf('clock', { now: () => Date.now() + 3_600_000 })).toMatchObject({
    state: 'failure',
    summary: expect.stringContaining('3600.0 s ahead of the database'),
  });
});

test('listen: a hint arrives on a direct connection', async () => {
  expect(await findingOf('listen')).toMatchObject({ state: 'ok' });
});

test('vacuum: a transaction that is left open fails, with its session', async () => {
  expect(await findingOf('vacuum')).toMatchObject({ state: 'ok' });
  await withSession(async sql => {
    await sql.begin(async transaction => {
      await transaction`SELECT 1`;
      expect(await findingOf('vacuum', { oldAfterMs: 0 })).toMatchObject({
        state: 'failure',
        summary: expect.stringContaining('segue-forgetful'),
        remedy: expect.stringContaining('pg_terminate_backend'),
      });
    });
  });
});
