import { readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A keeper tells its server to stop within milliseconds of our death; 3 s is that on a very busy machine. */
const orphanedMs = 3_000;
/** A fast shutdown writes out all that is dirty. */
const stoppingMs = 60_000;
const lookMs = 50;

/**
 * Waits until the server of a predecessor that was killed has stopped: its keeper has told it to.
 *
 * A server that died without tidying up (loss of power, SIGKILL) leaves its postmaster.pid. PostgreSQL sees
 * through that, except when the number has gone to another process of the same user, as it easily does in a
 * restarted container. It then refuses to start, so such a file is removed here.
 *
 * @throws Error when a server is at work on the data and is not about to stop
 */
export async function outwaitPredecessor(data: string): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const start = Date.now();
  for (;;) {
    const server = await readPidFile(pidFile);
    if (!server || !isAlive(server.pid)) return;
    // A server that says "ready" answers on its port, from before it says so until after it says "stopping".
    if (server.status === 'ready' && !(await answers(server.port))) return rm(pidFile, { force: true });
    if (Date.now() - start > (server.status === 'stopping' ? stoppingMs : orphanedMs)) {
      throw new Error(
        `The PostgreSQL server with process id ${server.pid} is at work on ${data} (${server.status}). ` +
          'Is Segue already running from this folder? End that one first.',
      );
    }
    await delay(lookMs);
  }
}

/** The file's lines: pid, data folder, start time, port, socket folder, address, shared memory, status. */
async function readPidFile(path: string): Promise<{ pid: number; port: number; status: string } | null> {
  const text = await readFile(path, 'utf8').catch(error => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const lines = text.split('\n').map(line => line.trim());
  return { pid: Number(lines[0]), port: Number(lines[3]), status: lines[7] || 'starting' };
}

/** False also for a process of another user, which cannot be this data's server. */
function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
