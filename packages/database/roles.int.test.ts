import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalPostgres } from '@segue/local-postgres/localPostgres.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { describe, expect, test } from 'vitest';
import { connect } from './connection.ts';
import { migrate } from './migrate.ts';

const database = useDatabase();

test('each role has exactly these rights; a new table has to appear here', async () => {
  const rights = await database.sql`
    SELECT relname AS table, coalesce(grantee::regrole::text, '') AS role,
      string_agg(privilege_type, ' ' ORDER BY privilege_type) AS privileges
    FROM pg_class
    LEFT JOIN LATERAL aclexplode(relacl) ON grantee <> relowner
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')
    GROUP BY 1, 2 ORDER BY 1, 2`;
  const lines = rights.map(({ table, role, privileges }) => `${table} ${role}: ${privileges ?? ''}`.trim());
  expect(lines).toEqual([
    'album_ingestion_batches segue_api: INSERT SELECT',
    'album_ingestion_batches segue_operator: SELECT',
    'album_ingestion_batches segue_reader: SELECT',
    'album_ingestion_batches segue_relay: DELETE SELECT UPDATE',
    'album_ingestion_batches_id_seq :',
    'catalog_pending segue_api: DELETE INSERT SELECT UPDATE',
    'catalog_pending segue_operator: SELECT',
    'catalog_pending segue_reader: SELECT',
    'ingestion_actions segue_operator: SELECT',
    'ingestion_actions segue_reader: SELECT',
    'ingestion_actions segue_relay: INSERT SELECT',
    'ingestion_actions_id_seq :',
    'ingestion_figures segue_operator: SELECT',
    'ingestion_figures segue_reader: SELECT',
    'ingestion_figures segue_relay: DELETE INSERT SELECT UPDATE',
    'ingestion_ledger segue_api: SELECT',
    'ingestion_ledger segue_operator: SELECT',
    'ingestion_ledger segue_reader: SELECT',
    'ingestion_ledger segue_relay: INSERT SELECT UPDATE',
    'ingestion_meters segue_operator: SELECT',
    'ingestion_meters segue_reader: SELECT',
    'ingestion_outbox segue_api: INSERT SELECT',
    'ingestion_outbox segue_operator: SELECT',
    'ingestion_outbox segue_reader: SELECT',
    'ingestion_outbox segue_relay: DELETE SELECT UPDATE',
    'ingestion_outbox_id_seq :',
    'ingestion_reconciled segue_operator: SELECT',
    'ingestion_reconciled segue_reader: SELECT',
    'ingestion_reconciled segue_relay: DELETE SELECT',
    'library_albums segue_api: DELETE INSERT SELECT UPDATE',
    'library_albums segue_operator: SELECT',
    'library_albums segue_reader: SELECT',
    'library_removals segue_api: DELETE INSERT SELECT UPDATE',
    'library_removals segue_operator: SELECT',
    'library_removals segue_reader: SELECT',
    'library_tracks segue_api: DELETE INSERT SELECT UPDATE',
    'library_tracks segue_operator: SELECT',
    'library_tracks segue_reader: SELECT',
    'relay_control segue_api: SELECT',
    'relay_control segue_operator: SELECT',
    'relay_control segue_reader: SELECT',
    'relay_control segue_relay: SELECT UPDATE',
    'relay_reconciliation segue_operator: SELECT',
    'relay_reconciliation segue_reader: SELECT',
    'relay_reconciliation segue_relay: SELECT UPDATE',
    'relay_slots segue_operator: SELECT',
    'relay_slots segue_reader: SELECT',
    'relay_slots segue_relay: INSERT SELECT UPDATE',
    'relays segue_operator: SELECT',
    'relays segue_reader: SELECT',
    'relays segue_relay: DELETE INSERT SELECT UPDATE',
    'segue_migrations segue_operator: SELECT',
    'segue_migrations segue_reader: SELECT',
    'segue_migrations_id_seq :',
  ]);
});

describe.each(['segue_api', 'segue_relay', 'segue_reader', 'segue_operator'])('%s', role => {
  test.each(refusedTo(role))('may not %s', async statement => {
    const attempt = database.sql.begin(async transaction => {
      await transaction.unsafe(`SET LOCAL ROLE ${role}`);
      await transaction.unsafe(statement);
    });
    // 42501 is insufficient_privilege; a statement that is merely wrong has another.
    await expect(attempt).rejects.toMatchObject({ code: '42501' });
  });
});

function refusedTo(role: string): string[] {
  const toAll = [
    'CREATE TABLE mine (id int)',
    'DROP TABLE ingestion_ledger',
    'TRUNCATE ingestion_outbox',
    'ALTER TABLE ingestion_outbox DISABLE TRIGGER ALL',
    'DELETE FROM ingestion_ledger',
    'UPDATE segue_migrations SET hash = NULL',
    'CREATE ROLE mine',
  ];
  const others: Record<string, string[]> = {
    segue_api: [
      "SELECT ingestion_outbox_discard(ids => '{1}', reason => 'x')",
      "UPDATE ingestion_outbox SET status = 'pending'",
      'DELETE FROM ingestion_outbox',
      'SELECT FROM ingestion_outbox FOR UPDATE',
      'UPDATE ingestion_ledger SET sent_at = NULL',
      "INSERT INTO ingestion_ledger (isrc, outbox_id, generation) VALUES ('USRC17607839', 1, 1)",
      // Late recordings raise the total; the counts are the relay's.
      'UPDATE album_ingestion_batches SET scheduled_count = 0',
    ],
    segue_relay: [
      'SELECT FROM library_tracks',
      'SELECT FROM library_albums',
      'DELETE FROM library_tracks',
      "INSERT INTO ingestion_outbox (isrc, title, artist, album) VALUES ('USRC17607839', 'a', 'b', 'c')",
      'INSERT INTO album_ingestion_batches (total_tracks) VALUES (1)',
    ],
    segue_operator: [
      'DELETE FROM library_tracks',
      "UPDATE ingestion_outbox SET status = 'pending'",
      'UPDATE ingestion_actions SET rows = 0',
      "SELECT ingestion_action_recorded('requeue', 'x', 'x', '{}', 1, '{}', NULL)",
    ],
    segue_reader: [
      "SELECT ingestion_outbox_requeue(ids => '{1}', reason => 'x')",
      "SELECT ingestion_outbox_pause('x')",
      'DELETE FROM library_tracks',
      "INSERT INTO ingestion_outbox (isrc, title, artist, album) VALUES ('USRC17607839', 'a', 'b', 'c')",
      "UPDATE ingestion_outbox SET status = 'pending'",
      // Late recordings raise the total; the counts are the relay's.
      'UPDATE album_ingestion_batches SET scheduled_count = 0',
      'SELECT FROM ingestion_outbox FOR UPDATE',
    ],
  };
  return [...toAll, ...(others[role] ?? [])];
}

describe('in a cluster that has never seen Segue', () => {
  test('four databases are migrated at the same time, and the roles are made once', async () => {
    await using cluster = await startCluster();
    const names = ['one', 'two', 'three', 'four'];
    for (const name of names) await cluster.admin`CREATE DATABASE ${cluster.admin(name)}`;
    const warnings: string[] = [];
    await Promise.all(
      names.map(name => migrate(cluster.url(name), { onWarning: warning => warnings.push(warning) })),
    );

    expect(warnings).toEqual([]);
    expect(await cluster.admin`SELECT FROM pg_roles WHERE rolname LIKE 'segue\\_%'`).toHaveLength(5);
  });

  test('a user who may not make roles migrates all the same, is told so, and grants later', async () => {
    await using cluster = await startCluster();
    const { admin } = cluster;
    await admin`CREATE ROLE tenant LOGIN PASSWORD 'secret'`;
    await admin`CREATE DATABASE theirs OWNER tenant`;
    const url = cluster.url('theirs', 'tenant');
    const warnings: string[] = [];
    await migrate(url, { onWarning: warning => warnings.push(warning) });
    expect(warnings).toHaveLength(5);
    expect(warnings[1]).toContain('the role segue_api is missing, since tenant may not make roles');

    for (const role of ['segue_migrator', 'segue_api', 'segue_relay', 'segue_reader', 'segue_operator']) {
      await admin`CREATE ROLE ${admin(role)}`;
    }
    const sql = connect({ url, applicationName: 'segue-test', max: 1 });
    for (const grants of [...(await allGrants()), ...(await allGrants())]) await sql.unsafe(grants);
    const [answer] = await sql`
      SELECT has_table_privilege('segue_relay', 'ingestion_outbox', 'UPDATE') AS may,
        has_table_privilege('segue_operator', 'ingestion_actions', 'SELECT') AS may_act,
        has_function_privilege('segue_operator', 'ingestion_outbox_unrequested(text[], boolean)', 'EXECUTE') AS may_request,
        has_table_privilege('segue_relay', 'library_tracks', 'SELECT') AS may_not`;
    await sql.end();
    expect(answer).toEqual({ may: true, may_act: true, may_request: true, may_not: false });
  });

  test("a migrator who is no superuser makes the tables, and they are the role's", async () => {
    await using cluster = await startCluster();
    const { admin } = cluster;
    await admin`CREATE DATABASE theirs`;
    await admin`CREATE ROLE segue_migrator`;
    await admin`GRANT CREATE ON DATABASE theirs TO segue_migrator`;
    await admin`CREATE ROLE tenant LOGIN PASSWORD 'secret' IN ROLE segue_migrator`;
    await admin`ALTER ROLE tenant SET role = 'segue_migrator'`;
    const owner = connect({ url: cluster.url('theirs'), applicationName: 'segue-test', max: 1 });
    await owner`GRANT CREATE ON SCHEMA public TO segue_migrator`;
    await migrate(cluster.url('theirs', 'tenant'));

    const owners = await owner`SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'`;
    await owner.end();
    expect(owners).toEqual([{ tableowner: 'segue_migrator' }]);
  });
});

/** The statements of all migrations that grant, as docs/security.md takes them out of the files. */
async function allGrants(): Promise<string[]> {
  const folder = new URL('../../drizzle/', import.meta.url);
  const names = (await readdir(folder)).filter(name => name.endsWith('.sql')).sort();
  const files = await Promise.all(names.map(name => readFile(new URL(name, folder), 'utf8')));
  return files
    .flatMap(file => file.split('--> statement-breakpoint'))
    .filter(statement => statement.includes('GRANT'));
}

async function startCluster() {
  const dataFolder = join(tmpdir(), `segue-test-${randomBytes(6).toString('hex')}`);
  const server = await startLocalPostgres({ dataFolder, settings: { fsync: 'off' }, persistent: false });
  const admin = connect({ url: server.url, applicationName: 'segue-test-admin', max: 1 });
  return {
    admin,
    /** Of the superuser, or of a user whose password is "secret". */
    url(database: string, user?: string): string {
      const url = new URL(server.url);
      url.pathname = database;
      if (user) Object.assign(url, { username: user, password: 'secret' });
      return url.href;
    },
    async [Symbol.asyncDispose]() {
      await admin.end();
      await server.stop();
    },
  };
}
