import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ConfigurationError } from '@segue/process/environment.ts';
import { type FastifyInstance, fastify } from 'fastify';
import mercurius from 'mercurius';
import { createContext } from './graphql/context.ts';
import { guardDocuments } from './graphql/documentGuards.ts';
import { createErrorFormatter } from './graphql/errors.ts';
import { createResolvers } from './graphql/resolvers.ts';
import { serveHealth } from './health.ts';
import type { Library } from './library/library.ts';

const bodyLimitBytes = 1024 * 1024;
/** A query is compiled when it comes for the second time: one that comes once is not worth the 3 ms. */
const compileAfter = 1;
/** Less than the 10 s that `run` allows in all. What still waits for TIDAL then has stored nothing. */
const finishWithinMs = 6_000;

/** The HTTP server: GraphQL at `/graphql`, its editor at `/graphiql`, and health. */
export async function createServer(library: Library): Promise<FastifyInstance> {
  const { database, logger } = library;
  const server = fastify({ bodyLimit: bodyLimitBytes, genReqId: () => randomUUID() });
  await server.register(mercurius, {
    schema: await readFile(new URL('graphql/schema.graphql', import.meta.url), 'utf8'),
    resolvers: createResolvers(library),
    context: request => createContext(request, database),
    errorFormatter: createErrorFormatter(logger),
    jit: compileAfter,
    graphiql: true,
  });
  guardDocuments(server);
  serveHealth(server, database, logger);
  endConnectionsWhenClosing(server);
  return server;
}

/**
 * A connection that waits for its answer when we close would idle on behind it, for as long as its client likes:
 * Node ends only those that idle already.
 */
function endConnectionsWhenClosing(server: FastifyInstance): void {
  let closing = false;
  server.addHook('preClose', async () => {
    closing = true;
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) reply.header('connection', 'close');
    done(null, payload);
  });
}

/**
 * @returns the server's address, `http://127.0.0.1:4000`
 * @throws ConfigurationError when it cannot listen there
 */
export async function listen(server: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw new ConfigurationError(`API_PORT ${port} is taken; choose another`);
    if (code === 'EACCES')
      throw new ConfigurationError(`API_PORT ${port} needs rights that we lack; choose another`);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new ConfigurationError(`API_HOST ${host} is no address of this machine`);
    }
    throw error;
  }
}

/** Takes no more requests, and resolves when those in hand are answered, or dropped after 6 s. */
export async function close(server: FastifyInstance): Promise<void> {
  const overdue = setTimeout(() => server.server.closeAllConnections(), finishWithinMs);
  await server.close();
  clearTimeout(overdue);
}
