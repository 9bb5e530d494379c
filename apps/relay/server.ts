import type { Sql } from '@segue/database/connection.ts';
import { createReadiness } from '@segue/database/readiness.ts';
import { ConfigurationError } from '@segue/process/environment.ts';
import { reasonOf } from '@segue/process/reason.ts';
import fastify, { type FastifyInstance } from 'fastify';
import { consolePage } from './console/console.ts';
import type { Breaker } from './guards/breaker.ts';
import type { Metrics } from './reporting/metrics.ts';

export type ServerOptions = {
  sql: Sql;
  inngestBreaker: Breaker;
  indexBreaker: Breaker;
  metrics: Metrics;
  host: string;
  port: number;
};

/** What a claim and the settlement after it write to. */
const tables = ['ingestion_outbox', 'ingestion_ledger', 'album_ingestion_batches'];

/**
 * Serves what an operator asks of a relay. `/livez` intentionally checks nothing outside of the process: a
 * relay that waits for Inngest or PostgreSQL is alive, and a restart would not help it. `/readyz` says whether rows
 * could be claimed and sent now.
 */
export async function startServer(options: ServerOptions): Promise<FastifyInstance> {
  const { sql, inngestBreaker, indexBreaker, metrics, host, port } = options;
  const readiness = createReadiness(sql, tables);
  const server = fastify({ forceCloseConnections: true });

  server.get('/livez', () => ({ status: 'alive' }));

  server.get('/readyz', async (_request, reply) => {
    const reason = await readiness.check().then(() => null, reasonOf);
    const state = {
      database: reason === null ? 'ok' : 'unavailable',
      inngest: inngestBreaker.isHeldBack ? 'unavailable' : 'ok',
      // Without the index the relay still sends (rule R7), so it is told and not counted.
      qdrant: indexBreaker.isHeldBack ? 'unavailable' : 'ok',
    };
    const ready = state.database === 'ok' && state.inngest === 'ok';
    return reply
      .code(ready ? 200 : 503)
      .send({ status: ready ? 'ready' : 'waiting', ...state, ...(reason !== null && { reason }) });
  });

  server.get('/metrics', async (_request, reply) => {
    try {
      return await reply.type(metrics.contentType).send(await metrics.text());
    } catch (error) {
      return reply
        .code(503)
        .type('text/plain')
        .send(`the database does not answer: ${reasonOf(error)}`);
    }
  });

  server.get('/', async (_request, reply) => {
    const breakers = { Inngest: inngestBreaker.state, Qdrant: indexBreaker.state };
    return reply.type('text/html; charset=utf-8').send(await consolePage(sql, breakers));
  });

  try {
    await server.listen({ host, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new ConfigurationError(`RELAY_PORT ${port} is taken on ${host}`);
  }
  return server;
}
