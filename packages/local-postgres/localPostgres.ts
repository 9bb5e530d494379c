import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessExit } from '@segue/child-process/childProcess.ts';
import postgres from 'postgres';
import { openCluster, owner } from './cluster.ts';
import { homeOf } from './home.ts';
import { outwaitPredecessor } from './predecessor.ts';
import { startServer } from './server.ts';

export type LocalPostgresOptions = {
  /** Where the data lives. As root it is only the data's name: see {@link homeOf}. */
  dataFolder: string;
  /** Used when it is free; otherwise, and by default, a free one is taken. */
  port?: number;
  /** PostgreSQL's own, such as `{ fsync: 'off' }`. */
  settings?: Record<string, string>;
  /** False throws the data away at the end, also when we are killed. */
  persistent: boolean;
  /** Gets the server's log, line by line. */
  onLog?: (line: string) => void;
};

export type LocalPostgres = {
  /** `postgres://segue:<password>@127.0.0.1:<port>/segue`, a superuser's. */
  url: string;
  port: number;
  /** Fulfilled when the server has ended, asked to or not. */
  exited: Promise<ProcessExit>;
  /** Ends all sessions, rolls back what they had open, and waits until the server has stopped. */
  stop(): Promise<void>;
};

/**
 * Starts the PostgreSQL 18 that npm installed, on 127.0.0.1 alone, and makes its data on first use. Any user may
 * call this, root too, from any folder: {@link homeOf} says how.
 *
 * The server ends with us, even when we are killed by SIGKILL. The next start waits for it to have ended.
 *
 * @throws Error when npm installed no PostgreSQL for this machine, when another server is at work on the data,
 *   or when the server does not start; then with the last lines of its log
 */
export async function startLocalPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const { persistent } = options;
  const home = await homeOf(options.dataFolder);
  await outwaitPredecessor(join(home.folder, 'data'));
  const cluster = await openCluster(home, { durable: persistent });
  const server = await startServer(home, cluster, options);

  async function stop(): Promise<void> {
    await server.process.stop();
    if (!persistent) await rm(home.folder, { recursive: true, force: true });
  }
  try {
    const url = await openDatabase(server.port, cluster.password);
    return { url, port: server.port, exited: server.process.exited, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The URL of the database, which is made where there is none yet. */
async function openDatabase(port: number, password: string): Promise<string> {
  const server = `postgres://${owner}:${password}@127.0.0.1:${port}`;
  const sql = postgres(`${server}/postgres`, { max: 1 });
  try {
    const [existing] = await sql`SELECT FROM pg_database WHERE datname = ${owner}`;
    if (!existing) await sql`CREATE DATABASE ${sql(owner)}`;
    return `${server}/${owner}`;
  } finally {
    await sql.end();
  }
}
