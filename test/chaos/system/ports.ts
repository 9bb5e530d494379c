import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A port that is free, and that the system gives to nobody by itself: Linux gives away 32,768 and up. A server that
 * was away for a second finds it free again, however many connections were made meanwhile.
 */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const probe = createServer().listen(port, '127.0.0.1');
    try {
      await once(probe, 'listening');
      probe.close();
      await once(probe, 'close');
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}
