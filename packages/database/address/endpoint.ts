import { Socket } from 'node:net';
import { reasonOf } from '@segue/process/reason.ts';
import type { Address } from './address.ts';
import { dial } from './dial.ts';
import type { Host } from './hosts.ts';

/** A socket of the driver, which says whether a statement is under way on it. */
type DriverSocket = Socket & { busy?: boolean };

/** Losses so close together have one cause, and one line in the log. */
const oneLossMs = 10_000;

/**
 * All connections of this process to one address, whichever pool they are of. What one of them finds out holds for the
 * others: a connection that gave no answer in time, or a server that no longer accepts writes.
 */
export class Endpoint {
  readonly #address: Address;
  /** Whether a host accepts writes. */
  readonly #acceptsWrites: (host: Host) => Promise<boolean>;
  /** Each open socket, and when it was last heard (`performance.now()`). */
  readonly #heard = new Map<DriverSocket, number>();
  /** The host that worked last is tried first. */
  #host: Host | undefined;
  #search: Promise<Host> | undefined;
  #lastLossAt = Number.NEGATIVE_INFINITY;

  constructor(address: Address, acceptsWrites: (host: Host) => Promise<boolean>) {
    this.#address = address;
    this.#acceptsWrites = acceptsWrites;
  }

  /**
   * Opens a socket for the driver. It never throws, since the driver would forget the place of this connection: a
   * failure comes as an error of the socket.
   *
   * @param deadlineMs after which the driver gives a statement up
   * @param onLost is told once what was lost, and why
   */
  async open(deadlineMs: number, onLost?: (message: string) => void): Promise<Socket> {
    try {
      const socket: DriverSocket = await this.#dial();
      socket.busy = true;
      this.#heard.set(socket, performance.now());
      socket.on('data', () => this.#heard.set(socket, performance.now()));
      socket.on('close', () => this.#heard.delete(socket));
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ETIMEDOUT') this.#silent(socket, deadlineMs, onLost);
      });
      return socket;
    } catch (error) {
      const failed = new Socket();
      setImmediate(() => failed.destroy(error as Error));
      return failed;
    }
  }

  /** A server answered that it is read-only: it was the primary, or never. All leave it, and look for the primary. */
  leaveReadOnly(onLost?: (message: string) => void): void {
    const sockets = [...this.#heard.keys()];
    this.#host = undefined;
    // Whoever asked has the answer first.
    setImmediate(() => {
      for (const socket of sockets) socket.destroy();
    });
    this.#tell(`the database is read-only; closed ${sockets.length} connections to connect anew`, onLost);
  }

  /** Connections that idle and were not heard since the statement was sent are as dead as its own. */
  #silent(lost: DriverSocket, deadlineMs: number, onLost?: (message: string) => void): void {
    const sentAt = performance.now() - deadlineMs;
    const idle = [...this.#heard].filter(([socket, at]) => socket !== lost && !socket.busy && at < sentAt);
    for (const [socket] of idle) socket.destroy();
    const others = idle.length > 0 ? ` and ${idle.length} idle ones` : '';
    const message = `a database connection gave no answer within ${deadlineMs} ms; closed it${others} to connect anew`;
    this.#tell(message, onLost);
  }

  #tell(message: string, onLost?: (message: string) => void): void {
    const now = performance.now();
    if (now - this.#lastLossAt > oneLossMs) onLost?.(message);
    this.#lastLossAt = now;
  }

  async #dial(): Promise<Socket> {
    if (!this.#address.readWrite) return await this.#first(host => dial(this.#address, host));
    this.#search ??= this.#first(async host => {
      if (await this.#acceptsWrites(host)) return host;
      throw Object.assign(new Error(`${host.name}:${host.port} is read-only`), { code: '25006' });
    }).finally(() => {
      this.#search = undefined;
    });
    return await dial(this.#address, await this.#search);
  }

  /** Tries the hosts in turn, the last good one first; that of the first success is the next to be tried. */
  async #first<Result>(attempt: (host: Host) => Promise<Result>): Promise<Result> {
    const { hosts } = this.#address;
    const errors: unknown[] = [];
    for (const host of new Set([this.#host ?? (hosts[0] as Host), ...hosts])) {
      try {
        const result = await attempt(host);
        this.#host = host;
        return result;
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    const { code } = errors.at(-1) as NodeJS.ErrnoException;
    throw Object.assign(new Error(errors.map(reasonOf).join('; ')), { code });
  }
}
