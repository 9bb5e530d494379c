import { randomBytes } from 'node:crypto';
import { connect, type Sql } from '@segue/database/connection.ts';
import { afterAll, beforeAll, inject } from 'vitest';
import { eventually } from './eventually.ts';

export type TestDatabase = AsyncDisposable & {
  url: string;
  /** A pool of four. */
  sql: Sql;
  /**
   * Ends `sql` and removes the database. So does leaving the scope of `await using`.
   *
   * @throws Error when somebody else is still connected, since a pool that a test leaves open is a pool that the
   *   program may leave open
   */
  drop(): Promise<void>;
};

/** A server takes some milliseconds to notice that a client has gone. */
const leavingMs = 2_000;

/**
 * Makes a database of its own for whoever calls (some 50 ms), without rows, or without even the tables.
 */
export async function createTestDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const { adminUrl, template } = inject('testPostgres');
  const name = `segue_test_${randomBytes(6).toString('hex')}`;
  const source = migrated ? template : 'template0';
  await asAdmin(adminUrl, admin => admin`CREATE DATABASE ${admin(name)} TEMPLATE ${admin(source)}`);

  const url = new URL(adminUrl);
  url.pathname = name;
  const sql = connect({ url: url.href, applicationName: 'segue-test', max: 4 });
  async function drop(): Promise<void> {
    await sql.end({ timeout: 5 });
    await asAdmin(adminUrl, async admin => {
      try {
        await eventually(() => expectNobodyIn(admin, name), { timeoutMs: leavingMs });
      } finally {
        await admin`DROP DATABASE ${admin(name)} WITH (FORCE)`;
      }
    });
  }
  return { url: url.href, sql, drop, [Symbol.asyncDispose]: drop };
}

/**
 * Gives the tests of a file, or of a `describe`, a database that they share:
 *
 * ```ts
 * const database = useDatabase();
 * test('…', async () => { await database.sql`SELECT …`; });
 * ```
 */
export function useDatabase(): Pick<TestDatabase, 'url' | 'sql'> {
  let database: TestDatabase | undefined;
  const opened = () => {
    if (!database) throw new Error('The test database exists from beforeAll to afterAll only.');
    return database;
  };
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await database?.drop();
  });
  return {
    get url() {
      return opened().url;
    },
    get sql() {
      return opened().sql;
    },
  };
}

async function expectNobodyIn(admin: Sql, name: string): Promise<void> {
  const others = await admin<{ applicationName: string; query: string }[]>`
    SELECT application_name AS "applicationName", left(query, 200) AS query
    FROM pg_stat_activity
    WHERE datname = ${name} AND backend_type = 'client backend'
  `;
  if (others.length === 0) return;
  const list = others.map(({ applicationName, query }) => `  ${applicationName || '(no name)'}: ${query}`);
  throw new Error(`Connections were left open (application_name: last query):\n${list.join('\n')}`);
}

async function asAdmin(url: string, work: (admin: Sql) => Promise<unknown>): Promise<void> {
  const admin = connect({ url, applicationName: 'segue-test-admin', max: 1 });
  try {
    await work(admin);
  } finally {
    await admin.end({ timeout: 5 });
  }
}
