import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between a program and a server; can go away, come back, and break a connection at a word. */
export type Breakable = AsyncDisposable & {
  /** The server's URL, by way of here. */
  url: string;
  /** Breaks all connections, and refuses new ones. */
  cut(): Promise<void>;
  /** Takes connections again, on the same port. */
  mend(): Promise<void>;
  /** Goes on to take what is sent on the open connections, and hands nothing on any more, as a dead firewall. */
  silence(): void;
  /** Leads new connections to another server. */
  leadTo(url: string): void;
  /** Resets the next connection on which a client says this. */
  resetAt(word: string): void;
};

/** @param url of a server; it must name its port */
export async function breakable(url: string): Promise<Breakable> {
  let target = new URL(url);
  const sockets = new Set<Socket>();
  const silences = new Set<() => void>();
  let trigger: string | undefined;

  const server = createServer(client => {
    const upstream = connect(Number(target.port), target.hostname);
    client.on('data', bytes => {
      if (trigger === undefined || !bytes.includes(trigger)) return;
      trigger = undefined;
      client.resetAndDestroy();
    });
    client.pipe(upstream).pipe(client);
    const silence = () => {
      for (const socket of [client, upstream]) socket.unpipe().resume();
    };
    silences.add(silence);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        silences.delete(silence);
        client.destroy();
        upstream.destroy();
      });
    }
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const cut = async () => {
    if (!server.listening) return;
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };

  const port = await listen(0);
  const through = new URL(url);
  through.host = `127.0.0.1:${port}`;
  return {
    url: through.href,
    cut,
    async mend() {
      await listen(port);
    },
    silence() {
      for (const silence of silences) silence();
    },
    leadTo(other) {
      target = new URL(other);
    },
    resetAt(word) {
      trigger = word;
    },
    [Symbol.asyncDispose]: cut,
  };
}
