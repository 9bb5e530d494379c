import { randomUUID } from 'node:crypto';
import type { Logger } from '@segue/telemetry/logger.ts';
import { type FastifyInstance, fastify } from 'fastify';
import { answerErrors } from './errors.ts';
import { guardHost, type HostRule } from './hostGuard.ts';

export type HttpServerOptions = {
  logger: Logger;
  /** Null where whoever asks has to prove who they are: a page on the web cannot. */
  hostRule: HostRule | null;
  /** Bytes of a request's body. 100 KiB unless said otherwise. */
  bodyLimit?: number;
  /** Milliseconds that a client has to send a request, from its first byte to its last. 10 s unless said otherwise. */
  requestTimeoutMs?: number;
  /** Milliseconds that requests in hand have to be answered when the server closes. */
  finishWithinMs: number;
};

const usualBodyLimit = 100 * 1024;
const usualRequestTimeoutMs = 10_000;
/** Node looks for requests whose time is up only so often; left to itself, every 30 s. */
const longestCheckIntervalMs = 500;

/**
 * A server with `/livez`, deadlines, and error answers that say nothing of our insides. Routes are added to it, then
 * `listen` starts it. `close()` takes no more requests, and resolves when those in hand are answered or their time is up.
 */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const { logger, hostRule, bodyLimit = usualBodyLimit, requestTimeoutMs = usualRequestTimeoutMs } = options;
  const server = fastify({
    bodyLimit,
    requestTimeout: requestTimeoutMs,
    http: {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(longestCheckIntervalMs, requestTimeoutMs / 4),
    },
    genReqId: () => randomUUID(),
  });
  if (hostRule !== null) guardHost(server, hostRule);
  answerErrors(server, logger);
  endConnectionsWhenClosing(server, options.finishWithinMs);
  // Asks nothing outside on purpose: a restart mends this process, and not a database or an Inngest that is away.
  server.get('/livez', async () => ({ status: 'alive' }));
  return server;
}

/**
 * A connection that waits for its answer when we close would idle on behind it, for as long as its client likes:
 * Node ends only those that idle already.
 */
function endConnectionsWhenClosing(server: FastifyInstance, finishWithinMs: number): void {
  let overdue: NodeJS.Timeout | undefined;
  server.addHook('preClose', async () => {
    overdue = setTimeout(() => server.server.closeAllConnections(), finishWithinMs);
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (overdue !== undefined) reply.header('connection', 'close');
    done(null, payload);
  });
  server.addHook('onClose', async () => clearTimeout(overdue));
}
