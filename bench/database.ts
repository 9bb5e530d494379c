import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type Sql } from '@segue/database/connection.ts';
import { migrate } from '@segue/database/migrate.ts';
import { startLocalPostgres } from '@segue/local-postgres/localPostgres.ts';
import { cpuSeconds, parentOf } from './processUsage.ts';

/**
 * A small production server: every commit is on disk before it is answered, and no checkpoint falls into a run
 * and into one candidate's time alone. What is not named is PostgreSQL's default, autovacuum among it.
 */
const commonSettings = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '1GB',
  maintenance_work_mem: '256MB',
  max_wal_size: '8GB',
  checkpoint_timeout: '30min',
  random_page_cost: '1.1',
  max_connections: '200',
};

const template = 'migrated';

export type Database = AsyncDisposable & {
  url: string;
  /** For loading, looking and giving hints; four connections. */
  sql: Sql;
};

export type DatabaseServer = {
  /** `PostgreSQL 18.4` */
  version: string;
  /** What differs from PostgreSQL's defaults. */
  settings: Record<string, string>;
  /**
   * Makes a database of its own for one run, which is dropped at the end of its scope. All candidates use the
   * same server, one after the other, and each finds a database without a history.
   */
  createDatabase(options: { migrated: boolean }): Promise<Database>;
  /** Writes out what is dirty, so that no run pays for the one before. */
  checkpoint(): Promise<void>;
  /** CPU time of the server with all of its sessions so far, in seconds; null where it cannot be known. */
  cpuSeconds(): Promise<number | null>;
  stop(): Promise<void>;
};

/**
 * Starts a PostgreSQL of the benchmarks' own, whose data is thrown away at the end.
 *
 * @param further settings beside those of all candidates
 */
export async function startDatabaseServer(further: Record<string, string> = {}): Promise<DatabaseServer> {
  const settings = { ...commonSettings, ...further };
  const dataFolder = join(tmpdir(), `segue-bench-${randomBytes(6).toString('hex')}`);
  const server = await startLocalPostgres({ dataFolder, settings, persistent: false });
  const admin = connect({ url: server.url, applicationName: 'segue-bench-admin', max: 1 });
  const [{ version, backend }] = await admin<[{ version: string; backend: number }]>`
    SELECT current_setting('server_version') AS version, pg_backend_pid() AS backend`;
  const postmaster = await parentOf(backend);

  const urlOf = (database: string) => Object.assign(new URL(server.url), { pathname: database }).href;
  // Migrated once: there are some hundred runs, and a copy takes a third of the time.
  await admin`CREATE DATABASE ${admin(template)}`;
  await migrate(urlOf(template));

  async function createDatabase({ migrated }: { migrated: boolean }): Promise<Database> {
    const name = `run_${randomBytes(6).toString('hex')}`;
    await admin`CREATE DATABASE ${admin(name)} TEMPLATE ${admin(migrated ? template : 'template1')}`;
    const url = urlOf(name);
    const sql = connect({ url, applicationName: 'segue-bench', max: 4 });
    return {
      url,
      sql,
      async [Symbol.asyncDispose]() {
        await sql.end({ timeout: 5 });
        await admin`DROP DATABASE ${admin(name)} WITH (FORCE)`;
      },
    };
  }

  return {
    version: `PostgreSQL ${version}`,
    settings,
    createDatabase,
    async checkpoint() {
      await admin`CHECKPOINT`;
    },
    cpuSeconds: async () => (postmaster === null ? null : cpuSeconds(postmaster, { descendants: true })),
    async stop() {
      await admin.end({ timeout: 5 });
      await server.stop();
    },
  };
}
