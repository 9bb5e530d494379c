import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connect, type Sql } from '@segue/database/connection.ts';
import { migrate } from '@segue/database/migrate.ts';
import { homeOf } from '@segue/local-postgres/home.ts';
import { type LocalPostgres, startLocalPostgres } from '@segue/local-postgres/localPostgres.ts';
import type { DatabaseFault } from './faultSchedule.ts';
import { lastingPort } from './ports.ts';

export type ChaosDatabase = {
  url: string;
  /** Survives what befalls the server. A statement that is under way then fails. */
  sql: Sql;
  /** Does it, undoes it, and resolves when the server is as it was. One at a time: a second waits for the first. */
  suffer(fault: DatabaseFault): Promise<void>;
  /** Stops the server as an administrator does, and starts it again where it was. */
  restart(whileDown?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
};

/** What is acknowledged must survive, so nothing is switched off; room for all processes, and not much more. */
const settings = { max_connections: '60' };
/** An outage that passes by itself lasts so long. */
const outageMs = 1_500;

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

  const faults: Record<DatabaseFault, () => Promise<void>> = {
    restart: () => restart(),

    /** A session that dies by SIGKILL takes the server down: it restarts and recovers from its log. */
    async crash() {
      const victim = await onFreshConnection(url, aSession);
      if (victim !== undefined) process.kill(victim, 'SIGKILL');
    },

    async 'connections dropped'() {
      await onFreshConnection(
        url,
        fresh => fresh`
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
      );
    },

    async 'connections exhausted'() {
      const hogs = Array.from({ length: 60 }, () => connect({ url, applicationName: 'hog', max: 1 }));
      await Promise.allSettled(hogs.map(hog => hog`SELECT 1`));
      await wait(outageMs);
      await Promise.all(hogs.map(hog => hog.end({ timeout: 0 })));
    },

    /** As after a failover to a standby that was not promoted. */
    async 'read-only'() {
      await setReadOnly(url, true);
      await wait(outageMs);
      await setReadOnly(url, false);
    },
  };

  return {
    url,
    sql,
    suffer(fault) {
      last = last.then(async () => {
        await faults[fault]();
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

/** The process id of somebody who is connected. */
async function aSession(sql: Sql): Promise<number | undefined> {
  const [session] = await sql<{ pid: number }[]>`
    SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid LIMIT 1`;
  return session?.pid;
}

/** Repeated: all connections of a process leave a server that has told one of them that it is read-only. */
async function setReadOnly(url: string, on: boolean): Promise<void> {
  await onceAnswering(url, async sql => {
    await sql.unsafe(`ALTER SYSTEM SET default_transaction_read_only = ${on ? 'on' : 'off'}`);
    await sql`SELECT pg_reload_conf()`;
  });
}

/** Does it as soon as the server takes connections; a recovery takes some tenths of a second. */
async function onceAnswering(url: string, work: (sql: Sql) => Promise<void>): Promise<void> {
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
