import { createTestDatabase } from '@segue/testing/database.ts';
import { expect, test } from 'vitest';
import { openDatabase } from './database.ts';

test('a database that was never migrated is refused with what to do', async () => {
  const testDatabase = await createTestDatabase();
  await testDatabase.sql`DROP TABLE ingestion_outbox CASCADE`;
  await expect(openDatabase({ url: testDatabase.url })).rejects.toThrow(
    'no tables yet: run `npm run migrate` first',
  );
  await testDatabase.drop();
});

test('a statement that waits for a lock gives its connection back', async () => {
  const testDatabase = await createTestDatabase();
  const database = await openDatabase({ url: testDatabase.url });
  const [setting] = await database.sql`SHOW statement_timeout`;
  expect(setting).toEqual({ statement_timeout: '4s' });
  await database.sql.end();
  await testDatabase.drop();
});
