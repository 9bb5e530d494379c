import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connect, type Sql } from '@segue/database/connection.ts';
import { migrate } from '@segue/database/migrate.ts';
import { homeOf } from '@segue/local-postgres/home.ts';
import { type LocalPostgres, startLocalPostgres } from '@segue/local-postgres/localPostgres.ts';
import { lastingPort } from './ports.ts';

export type ChaosDatabase = {
  url: string;
  /** Survives what befalls the server. A statement that is under way then fails. */
  sql: Sql;
  /** Does something to the server, once nobody else does, and resolves when it is over and the server answers. */
  alone(work: () => Promise<void>): Promise<void>;
  /** Stops the server as an administrator does, and starts it again where it was. */
  restart(whileDown?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
};

/** What is acknowledged must survive, so nothing is switched off; room for all processes, and not much more. */
const settings = { max_connections: '60' };
/** Starts a PostgreSQL of its own for the run, migrated. */
export async function startDatabase(): Promise<ChaosDatabase> {
  const dataFolder = join(tmpdir(), `segue-chaos-${randomBytes(6).toString('hex')}`);
  const port = await lastingPort();
  const start = () => startLocalPostgres({ dataFolder, persistent: true, settings, port });
  let server: LocalPostgres = await start();
  const { url } = server;
  await migrate(url);
  const sql = connect({ url, applicationName: 'chaos', max: 8 });
  let last: Promise<void> = Promise.resolve();

  async function restart(whileDown?: () => Promise<void>): Promise<void> {
    await server.stop();
    await whileDown?.();
    server = await start();
    if (server.url !== url) throw new Error(`PostgreSQL came back on port ${server.port}, not on ${port}`);
  }

  return {
    url,
    sql,
    alone(work) {
      last = last.then(async () => {
        await work();
        await onceAnswering(url, async sql => void (await sql`SELECT 1`));
      });
      return last;
    },
    restart,
    async stop() {
      await sql.end({ timeout: 1 });
      await server.stop();
      await rm((await homeOf(dataFolder)).folder, { recursive: true, force: true });
    },
  };
}

/** Does it as soon as the server takes connections; a recovery takes some tenths of a second. */
export async function onceAnswering(url: string, work: (sql: Sql) => Promise<void>): Promise<void> {
  for (const deadline = performance.now() + 30_000; ; ) {
    try {
      await wait(100);
      return await onFreshConnection(url, work);
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

/**
 * A pool that has lost its server fails once more on each of its connections with what the server said last
 * (postgres.js 3.4.9, #1223). What must not fail gets a connection of its own.
 */
export async function onFreshConnection<Result>(
  url: string,
  work: (sql: Sql) => Promise<Result>,
): Promise<Result> {
  const sql = connect({ url, applicationName: 'chaos', max: 1 });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
