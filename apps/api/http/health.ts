import { answers } from '@segue/database/reach.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import type { FastifyInstance } from 'fastify';
import type { Database } from '../database.ts';

const answerWithinMs = 2_000;

/** What orchestrators ask. */
export function serveHealth(server: FastifyInstance, database: Database, logger: Logger): void {
  // Asks nothing outside on purpose: a restart mends this process, and not a database that is away.
  server.get('/livez', async () => ({ status: 'alive' }));

  server.get('/readyz', async (_request, reply) => {
    try {
      await answers(database.sql, answerWithinMs);
      return { status: 'ready', database: 'ok' };
    } catch (error) {
      logger.warn({ event: 'not_ready', error: reasonOf(error) }, 'not ready: the database does not answer');
      return reply.code(503).send({ status: 'waiting', database: 'unavailable' });
    }
  });
}
