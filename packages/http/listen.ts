import { ConfigurationError } from '@segue/process/environment.ts';
import type { FastifyInstance } from 'fastify';

export type Address = {
  /** What the variables of the address begin with: `API` for `API_HOST` and `API_PORT`. */
  variables: 'API' | 'RELAY' | 'WORKER';
  host: string;
  /** 0 for any free one. */
  port: number;
};

/**
 * @returns the server's address, `http://127.0.0.1:4000`
 * @throws ConfigurationError naming the variable when it cannot listen there
 */
export async function listen(server: FastifyInstance, { variables, host, port }: Address): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new ConfigurationError(`${variables}_PORT ${port} is taken on ${host}; choose another`);
    }
    if (code === 'EACCES') {
      throw new ConfigurationError(`${variables}_PORT ${port} needs rights that we lack; choose another`);
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new ConfigurationError(`${variables}_HOST ${host} is no address of this machine`);
    }
    throw error;
  }
}
