import { connect } from '@segue/database/connection.ts';
import { expect, inject, test } from 'vitest';
import { createTestDatabase, useDatabase } from './database.ts';

const shared = useDatabase();

test('eight at the same time are eight databases, migrated and apart', async () => {
  const databases = await Promise.all(Array.from({ length: 8 }, () => createTestDatabase()));
  const counts = databases.map(async ({ sql }) => {
    await sql`INSERT INTO ingestion_outbox (isrc, title, artist, album) VALUES ('USRC17607839', 'T', 'A', 'A')`;
    return sql`SELECT count(*)::int FROM ingestion_outbox`;
  });

  expect(await Promise.all(counts)).toEqual(databases.map(() => [{ count: 1 }]));
  await Promise.all(databases.map(database => database.drop()));
});

test('drop names a connection that was left open, and drops all the same', async () => {
  const database = await createTestDatabase();
  const forgotten = connect({ url: database.url, applicationName: 'forgetful', max: 1 });
  await forgotten`SELECT 'the last query'`;

  await expect(database.drop()).rejects.toThrow("forgetful: SELECT 'the last query'");
  const name = new URL(database.url).pathname.slice(1);
  expect(await shared.sql`SELECT FROM pg_database WHERE datname = ${name}`).toEqual([]);
  await forgotten.end();
});

test('nobody can connect to the template and so keep others from cloning it', async () => {
  const { adminUrl, template } = inject('testPostgres');
  const url = new URL(adminUrl);
  url.pathname = template;
  const sql = connect({ url: url.href, applicationName: 'segue-test', max: 1 });

  await expect(sql`SELECT 1`).rejects.toThrow('not currently accepting connections');
  await sql.end();
});
