import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/**
 * The preferred port where it is free, and else one that is. A moment later somebody may have taken either;
 * whoever listens there then says so.
 *
 * @param preferred 0 for any
 */
export async function choosePort(preferred: number, host: string): Promise<number> {
  try {
    return await tryPort(preferred, host);
  } catch (error) {
    if (isTaken(error)) return await tryPort(0, host);
    // No right to it, or no such address: the process that is to listen there says it best.
    return preferred;
  }
}

/**
 * Listens on the preferred port where it is free, and else on one that is.
 *
 * @throws what `listen` throws but for a taken port
 */
export async function onPort<Server>(
  preferred: number,
  listen: (port: number) => Promise<Server>,
): Promise<Server> {
  try {
    return await listen(preferred);
  } catch (error) {
    if (!isTaken(error)) throw error;
    return await listen(0);
  }
}

/** Where a server that listens on this host is reached from this machine. */
export function addressOf(host: string, port: number): string {
  const reached = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}

async function tryPort(port: number, host: string): Promise<number> {
  const probe = createServer().listen(port, host);
  await once(probe, 'listening');
  const { port: free } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return free;
}

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
}
