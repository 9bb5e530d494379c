import type { FastifyInstance } from 'fastify';
import { defaultLimits, type Limits } from '../http/limits.ts';
import { createServer, localServer, type ServerOptions } from '../http/server.ts';
import type { Library } from '../library/library.ts';

/** A server for the local user with the default limits, but for what the test says. */
export async function serverOf(
  library: Library,
  { limits, ...options }: Partial<Omit<ServerOptions, 'limits'>> & { limits?: Partial<Limits> } = {},
): Promise<FastifyInstance> {
  return await createServer(library, {
    ...localServer,
    limits: { ...defaultLimits, ...limits },
    ...options,
  });
}
