import { join } from 'node:path';

/** A server, over TCP or through the socket in a folder. */
export type Host = {
  /** By which it is called, and by which its certificate is checked. */
  name: string;
  /** Where it is connected to: its name, or the address that is given for it. */
  address: string;
  port: number;
  socketPath?: string;
};

/** Where libpq's builds look for a socket when no host is named; then the machine itself. */
const whereNoneIsNamed = '/var/run/postgresql,/tmp,localhost';

/** `host`, `host:port`, `[::1]:port`. */
const oneHost = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s;

/** The hosts and ports before the path of an address, as the parameters that say the same. */
export function hostsInUrl(
  authority: string,
  decode: (text: string) => string,
): { host?: string; port?: string } {
  const parts = authority.split(',').map(text => {
    const [, host = text, port = ''] = oneHost.exec(text) ?? [];
    return { host: decode(host).replace(/^\[|\]$/g, ''), port: decode(port) };
  });
  return {
    ...(parts.some(({ host }) => host !== '') && { host: parts.map(({ host }) => host).join(',') }),
    ...(parts.some(({ port }) => port !== '') && { port: parts.map(({ port }) => port).join(',') }),
  };
}

/**
 * The hosts that parameters name, separated by commas; one port holds for all of them.
 *
 * @throws what `fail` throws
 */
export function hostsOf(parameters: Record<string, string>, fail: (problem: string) => never): Host[] {
  const names = (parameters.host ?? parameters.hostaddr ?? whereNoneIsNamed).split(',');
  const addresses = parameters.hostaddr?.split(',') ?? names;
  if (addresses.length !== names.length) fail(`has ${addresses.length} addresses for ${names.length} hosts`);
  const ports = (parameters.port ?? '5432').split(',');
  if (ports.length > 1 && ports.length !== names.length) {
    fail(`has ${ports.length} ports for ${names.length} hosts`);
  }
  return names.map((name, index) => {
    const port = portOf((ports.length === 1 ? ports[0] : ports[index]) || '5432', fail);
    if (name.startsWith('@')) fail('has an abstract Unix socket ("@…"), which we cannot open');
    const host = { name: name || 'localhost', address: addresses[index] || name || 'localhost', port };
    return name.startsWith('/') ? { ...host, socketPath: join(name, `.s.PGSQL.${port}`) } : host;
  });
}

function portOf(text: string, fail: (problem: string) => never): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port > 0 && port < 65_536) return port;
  return fail('has a port that is no number from 1 to 65535');
}
