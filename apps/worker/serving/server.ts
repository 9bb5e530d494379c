import { ConfigurationError } from '@segue/process/environment.ts';
import { within } from '@segue/process/timeLimit.ts';
import fastify, { type FastifyInstance } from 'fastify';
import type { Inngest, InngestFunction } from 'inngest';
import inngestPlugin from 'inngest/fastify';

export type ServerOptions = {
  client: Inngest;
  functions: InngestFunction.Any[];
  /** Whether Inngest has our functions. */
  isRegistered(): boolean;
  /** Whether the collection is there. @throws when Qdrant cannot be asked */
  checkCollection(): Promise<boolean>;
  host: string;
  port: number;
};

/** A run's state as Inngest sends it: 4 MB at the most. */
const bodyLimit = 4 * 1024 * 1024;
/** `/readyz` says that Qdrant does not answer when it takes longer. */
const qdrantWithinMs = 2_000;
/** What a stop leaves for the steps in hand, of the 10 s that it may take. */
const stepsWithinMs = 8_000;

export const servePath = '/api/inngest';

/**
 * Serves the functions to Inngest at `/api/inngest`, and `/livez` and `/readyz` to operators. `/livez` asks nothing
 * outside of the process: a restart would not help a worker that waits for Qdrant.
 */
export async function startServer(options: ServerOptions): Promise<FastifyInstance> {
  const { client, functions, isRegistered, checkCollection, host, port } = options;
  const server = fastify({ bodyLimit, forceCloseConnections: 'idle' });

  server.get('/livez', () => ({ status: 'alive' }));

  server.get('/readyz', async (_request, reply) => {
    const indexed = within(qdrantWithinMs, checkCollection(), () => new Error('late')).catch(() => false);
    const state = {
      inngest: isRegistered() ? 'ok' : 'unavailable',
      qdrant: (await indexed) ? 'ok' : 'unavailable',
    };
    const ready = state.inngest === 'ok' && state.qdrant === 'ok';
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'waiting', ...state });
  });

  await server.register(inngestPlugin, { client, functions, options: { servePath } });
  try {
    await server.listen({ host, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new ConfigurationError(`WORKER_PORT ${port} is taken on ${host}`);
  }
  return server;
}

/**
 * Registers the functions, as a PUT from Inngest would. The address that Inngest is told is the one that we listen on,
 * unless INNGEST_SERVE_ORIGIN names another.
 *
 * @throws Error saying why Inngest did not take them
 */
export async function register(server: FastifyInstance): Promise<void> {
  const { host } = new URL(server.listeningOrigin);
  const response = await server.inject({ method: 'PUT', url: servePath, headers: { host } });
  if (response.statusCode === 200) return;
  const { message } = response.json<{ message?: string }>();
  throw new Error(message ?? `Inngest answered ${response.statusCode}`);
}

/** Takes no new call, and waits for those under way; what takes longer is left to Inngest, which tries it again. */
export async function stopServer(server: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => server.server.closeAllConnections(), stepsWithinMs);
  await server.close();
  clearTimeout(timer);
}
