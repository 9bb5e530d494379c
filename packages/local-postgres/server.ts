import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type KeptProcess, spawnKept } from '@segue/child-process/childProcess.ts';
import type { Cluster } from './cluster.ts';
import type { Home } from './home.ts';

export type Server = { process: KeptProcess; port: number };

export type ServerOptions = {
  port?: number;
  settings?: Record<string, string>;
  persistent: boolean;
  onLog?: (line: string) => void;
};

const readyLine = 'database system is ready to accept connections';
/** Generous, since recovery after a crash comes first. A normal start takes 0.1 s. */
const readyWithinMs = 120_000;
/** A fast shutdown writes out what is dirty; PostgreSQL recovers from the SIGKILL that follows. */
const stopWithinSeconds = 60;
/** The first may be the preferred one, and somebody may take a free one before the server does. */
const portAttempts = 5;

/**
 * Starts the server on the preferred port, or a free one, and waits until it takes connections.
 *
 * @throws Error with the last lines of its log when it does not start
 */
export async function startServer(home: Home, cluster: Cluster, options: ServerOptions): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const port = attempt === 1 && options.port ? options.port : await freePort();
    try {
      return { process: await startOnPort(home, cluster, port, options), port };
    } catch (error) {
      const portTaken = error instanceof Error && error.message.includes('Address already in use');
      if (!portTaken || attempt === portAttempts) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

async function startOnPort(
  home: Home,
  cluster: Cluster,
  port: number,
  { settings, persistent, onLog }: ServerOptions,
): Promise<KeptProcess> {
  const allSettings = {
    ...settings,
    port,
    listen_addresses: '127.0.0.1',
    // A socket would need a folder that exists and whose path is shorter than 108 bytes.
    unix_socket_directories: '',
  };
  const args = Object.entries(allSettings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const lastLines: string[] = [];
  const ready = Promise.withResolvers<'ready' | 'late'>();
  const server = await spawnKept(join(home.binaries, 'postgres'), ['-D', cluster.data, ...args], {
    ...(home.user && { user: home.user }),
    // Our own working folder may be one that the server's user cannot enter.
    cwd: cluster.data,
    // English, since we look for `readyLine`; and none of our PG* variables.
    env: { LC_ALL: 'C' },
    // Fast shutdown. SIGTERM would wait until every client has left.
    signal: 'SIGINT',
    graceSeconds: stopWithinSeconds,
    ...(!persistent && { removeIfOrphaned: home.folder }),
    output(line) {
      lastLines.push(line);
      if (lastLines.length > 20) lastLines.shift();
      if (line.includes(readyLine)) ready.resolve('ready');
      onLog?.(line);
    },
  });
  const timer = setTimeout(() => ready.resolve('late'), readyWithinMs);
  const outcome = await Promise.race([ready.promise, server.exited]);
  clearTimeout(timer);
  if (outcome === 'ready') return server;

  const { code, signal } = await server.stop();
  const why =
    outcome === 'late' ? `not ready after ${readyWithinMs / 1000} s` : (signal ?? `exit code ${code}`);
  throw new Error(`PostgreSQL did not start (${why}). It said:\n${lastLines.join('\n')}`);
}
