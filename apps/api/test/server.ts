import type { FastifyInstance } from 'fastify';
import { defaultLimits, type Limits } from '../http/limits.ts';
import { createServer, localServer, type ServerOptions } from '../http/server.ts';
import type { Library } from '../library/library.ts';
import { createMetrics } from '../metrics/metrics.ts';

/** Of all servers of the file. */
const metrics = createMetrics(undefined, false);

/** A server for the local user with the default limits, but for what the test says. */
export async function serverOf(
  library: Library,
  { limits, ...options }: Partial<Omit<ServerOptions, 'limits'>> & { limits?: Partial<Limits> } = {},
): Promise<FastifyInstance> {
  return await createServer(library, {
    ...localServer,
    metrics,
    limits: { ...defaultLimits, ...limits },
    ...options,
  });
}
