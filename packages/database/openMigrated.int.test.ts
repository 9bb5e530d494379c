import { createTestDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { expect, onTestFinished, test } from 'vitest';
import { openMigrated } from './openMigrated.ts';

test('a database that was never migrated is refused with what to do, and no connection is left behind', async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  await database.sql`DROP TABLE ingestion_outbox CASCADE`;

  const applicationName = 'opens-an-empty-database';
  await expect(openMigrated({ url: database.url, applicationName, max: 1 })).rejects.toThrow(
    'no tables yet: run `npm run migrate` first',
  );
  // PostgreSQL notices a moment later that a connection was closed.
  await eventually(async () => {
    expect(
      await database.sql`SELECT pid FROM pg_stat_activity WHERE application_name = ${applicationName}`,
    ).toEqual([]);
  });
});

test('a migrated one is opened', async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const sql = await openMigrated({ url: database.url, applicationName: 'test', max: 1 });
  onTestFinished(() => sql.end());
  expect(await sql`SELECT count(*)::int AS rows FROM ingestion_outbox`).toEqual([{ rows: 0 }]);
});
