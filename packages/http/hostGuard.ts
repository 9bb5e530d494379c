import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AllowedHosts } from './allowedHosts.ts';

/** To which hosts a server answers. */
export type HostRule = {
  /** Hosts that are allowed besides those of loopback and the address that the server listens on. */
  hosts: readonly string[];
  /** Where an operator lists them: `RELAY_ALLOWED_HOSTS`. */
  variable: string;
};

/** What changes nothing and tells nothing, and is asked by probes under whatever address. */
const openRoutes = ['/livez', '/readyz'];

/**
 * Answers 403 to a request for a host that is not ours. A page on the web can point its own name at 127.0.0.1 (DNS
 * rebinding) and is then, to a browser, of the same origin as this server. The Host is what gives it away.
 */
export function guardHost(server: FastifyInstance, { hosts, variable }: HostRule): void {
  const allowed = new AllowedHosts(hosts);
  server.addHook('onListen', async () => {
    for (const address of server.addresses()) if (typeof address === 'object') allowed.add(address.address);
  });
  server.addHook('onRequest', async request => {
    if (openRoutes.includes(request.routeOptions.url ?? '')) return;
    if (hostsOf(request).every(host => allowed.allows(host))) return;
    throw Object.assign(
      new Error(
        `This server does not go by the Host of this request. ${variable} lists the names that it goes by.`,
      ),
      { statusCode: 403 },
    );
  });
}

/** All that a request says of its host: by a Host header, by several, and by an address that has one in it. */
function hostsOf({ raw }: FastifyRequest): string[] {
  const { rawHeaders, url = '' } = raw;
  const hosts = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'host');
  if (hosts.length !== 1) return [''];
  if (url.startsWith('/') || url === '*') return hosts;
  return [...hosts, /^https?:\/\/([^/?#]*)/i.exec(url)?.[1] ?? ''];
}
