import { createReadiness, type Readiness } from '@segue/database/readiness.ts';
import { serveReadiness } from '@segue/http/readiness.ts';
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

  serveReadiness(server, async () => {
    try {
      readiness ??= createReadiness(database.sql, tables);
      await readiness.check();
      told = null;
      return { ready: true, details: { database: 'ok' } };
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== told) {
        logger.warn({ event: 'not_ready', error: reason }, `not ready: no addition can be stored: ${reason}`);
      }
      told = reason;
      return { ready: false, details: { database: 'unavailable' } };
    }
  });
}
