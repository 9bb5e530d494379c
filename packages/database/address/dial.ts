import { createHash, type X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { endAfter } from '@segue/process/timeLimit.ts';
import type { Address } from './address.ts';
import type { Host } from './hosts.ts';

/** What asks a server whether it speaks TLS. */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/**
 * Opens a connection to one server, with TLS as the address demands it.
 *
 * @throws Error `CONNECT_TIMEOUT` when that takes too long; what Node says of a server that is away or not trusted
 */
export async function dial(address: Address, host: Host): Promise<Socket> {
  try {
    return await endAfter(address.connectTimeoutMs, signal => open(address, host, signal));
  } catch (error) {
    // `once` has an error of its own for the signal.
    if (!['TimeoutError', 'AbortError'].includes((error as Error).name)) throw error;
    const message = `no connection to ${host.name}:${host.port} within ${address.connectTimeoutMs / 1_000} s`;
    throw Object.assign(new Error(message), { code: 'CONNECT_TIMEOUT' });
  }
}

async function open(address: Address, host: Host, signal: AbortSignal): Promise<Socket> {
  const { use } = address.tls;
  const plain = await openPlain(address, host, signal);
  if (use === 'never' || host.socketPath !== undefined) return plain;
  try {
    return (await startTls(address, host, plain, signal)) ?? plain;
  } catch (error) {
    plain.destroy();
    if (use === 'always' || signal.aborted) throw error;
    return await openPlain(address, host, signal);
  }
}

async function openPlain(address: Address, host: Host, signal: AbortSignal): Promise<Socket> {
  const { socketPath, address: where, port } = host;
  const keepAlive = { keepAlive: address.keepAlive > 0, keepAliveInitialDelay: address.keepAlive * 1_000 };
  const socket = connectTcp(
    socketPath === undefined ? { host: where, port, noDelay: true, ...keepAlive } : { path: socketPath },
  );
  return await established(socket, 'connect', signal);
}

/** @returns null where the server speaks no TLS and need not */
async function startTls(
  { tls }: Address,
  { name }: Host,
  socket: Socket,
  signal: AbortSignal,
): Promise<TLSSocket | null> {
  if (!tls.direct) {
    socket.write(sslRequest);
    // A single byte. What comes with it was put there by somebody in between (CVE-2021-23222).
    const answer = await answerOf(socket, signal);
    if (answer !== 'S') {
      if (answer === 'N' && tls.use === 'prefer') return null;
      throw Object.assign(new Error('the server speaks no TLS, which sslmode demands'), { code: 'NO_TLS' });
    }
  }
  const secure = connectTls({
    socket,
    host: name,
    ...(tls.sendName && isIP(name) === 0 && { servername: name }),
    ...(tls.direct && { ALPNProtocols: ['postgresql'] }),
    ...tls.options,
  });
  return await established(secure, 'secureConnect', signal);
}

async function answerOf(socket: Socket, signal: AbortSignal): Promise<string> {
  const [bytes] = await Promise.race([
    once(socket, 'data', { signal }),
    once(socket, 'close', { signal }).then(() => {
      throw Object.assign(new Error('the server closed the connection'), { code: 'ECONNRESET' });
    }),
  ]);
  return String(bytes);
}

async function established<Some extends Socket>(
  socket: Some,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<Some> {
  try {
    await once(socket, event, { signal });
    return socket;
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    throw error;
  }
}

/**
 * What a login is bound to with `channel_binding=require` (RFC 5929, tls-server-end-point).
 *
 * @throws Error for a connection without TLS, and for a certificate whose hash is not known
 */
export function certificateHash(socket: Socket): Buffer {
  const certificate = (socket as Partial<TLSSocket>).getPeerX509Certificate?.();
  if (!certificate) throw new Error('channel binding is required, and the connection has no TLS');
  const { signatureAlgorithm = '' } = certificate as X509Certificate & { signatureAlgorithm?: string };
  const [, bits] = /sha-?(1|224|256|384|512)/i.exec(signatureAlgorithm) ?? [];
  if (bits === undefined) {
    throw new Error(
      `channel binding is not known for a certificate that is signed with ${signatureAlgorithm}`,
    );
  }
  return createHash(`sha${bits === '1' ? 256 : bits}`)
    .update(certificate.raw)
    .digest();
}
