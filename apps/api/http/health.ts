import { createReadiness, type Readiness } from '@segue/database/readiness.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import type { FastifyInstance } from 'fastify';
import type { Database } from '../database.ts';

/** What an addition writes to. */
const tables = ['library_tracks', 'library_albums', 'album_ingestion_batches', 'ingestion_outbox'];

/** What orchestrators ask. Ready means that an addition could be stored. */
export function serveHealth(server: FastifyInstance, database: Database, logger: Logger): void {
  let readiness: Readiness | undefined;
  /** Why it was not ready when last asked: told once, however often an orchestrator asks. */
  let told: string | null = null;

  // Asks nothing outside on purpose: a restart mends this process, and not a database that is away.
  server.get('/livez', async () => ({ status: 'alive' }));

  server.get('/readyz', async (_request, reply) => {
    try {
      readiness ??= createReadiness(database.sql, tables);
      await readiness.check();
      told = null;
      return { status: 'ready', database: 'ok' };
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== told) {
        logger.warn({ event: 'not_ready', error: reason }, `not ready: no addition can be stored: ${reason}`);
      }
      told = reason;
      return reply.code(503).send({ status: 'waiting', database: 'unavailable' });
    }
  });
}
