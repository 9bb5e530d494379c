import { createTestDatabase, type TestDatabase } from '@segue/testing/database.ts';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { connect } from './connection.ts';
import { migrate } from './migrate.ts';
import { openMigrated } from './openMigrated.ts';

const schema = 'segue_elsewhere';
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ migrated: false });
  await migrate(database.url, { schema });
});
afterAll(() => database.drop());

describe('DATABASE_SCHEMA', () => {
  test('holds everything, and public nothing', async () => {
    const things = await database.sql`
      SELECT DISTINCT nspname AS schema FROM (
        SELECT relnamespace AS namespace FROM pg_class UNION ALL SELECT pronamespace FROM pg_proc
        UNION ALL SELECT typnamespace FROM pg_type
      ) AS made JOIN pg_namespace ON pg_namespace.oid = namespace
      WHERE nspname !~ '^(pg_|information_schema)'`;
    expect(things).toEqual([{ schema }]);
  });

  test('migrated twice has nothing to do', async () => {
    await expect(migrate(database.url, { schema })).resolves.toBeUndefined();
  });

  test('is where a process finds its tables; elsewhere it says what to do', async () => {
    const sql = await openMigrated({ url: database.url, applicationName: 'test', max: 1, schema });
    onTestFinished(() => sql.end());
    expect(await sql`SELECT count(*)::int AS rows FROM ingestion_outbox`).toEqual([{ rows: 0 }]);

    const opening = openMigrated({ url: database.url, applicationName: 'test', max: 1, schema: 'nowhere' });
    await expect(opening).rejects.toThrow(
      'has no tables yet in the schema nowhere (DATABASE_SCHEMA): run `npm run migrate` first',
    );
  });

  test('a second one stands beside the first', async () => {
    await migrate(database.url, { schema: 'segue_second' });
    const rows = await database.sql`SELECT FROM segue_second.segue_migrations`;
    expect(rows.length).toBeGreaterThan(0);
    await database.sql`DROP SCHEMA segue_second CASCADE`;
  });
});

test("a request is made whatever the caller's search_path, and its ISRC is normalised", async () => {
  const sql = connect({
    url: database.url,
    applicationName: 'test',
    max: 1,
    settings: { search_path: 'pg_catalog' },
  });
  onTestFinished(() => sql.end());
  const request = (isrc: string) => sql`
    INSERT INTO ${sql(schema)}.ingestion_outbox (isrc, title, artist, album) VALUES (${isrc}, 'T', 'A', 'A') RETURNING isrc`;
  expect(await request('us-rc1 76-07839')).toEqual([{ isrc: 'USRC17607839' }]);
  await expect(request('nonsense')).rejects.toMatchObject({ code: '23514' });
});

test('each function is bound to its schema', async () => {
  const loose = await database.sql`
    SELECT proname AS name FROM pg_proc
    WHERE pronamespace = ${schema}::regnamespace AND prosqlbody IS NULL
      AND NOT coalesce(proconfig::text LIKE '%search_path=%', false)`;
  // ALTER FUNCTION … SET search_path FROM CURRENT, in the migration that makes it.
  expect(loose).toEqual([]);
});
