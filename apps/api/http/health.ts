import { createReadiness, type Readiness } from '@segue/database/readiness.ts';
import { type DependencyReport, serveReadiness } from '@segue/http/readiness.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import type { FastifyInstance } from 'fastify';
import type { KeysState, RemoteKeys } from '../access/remoteKeys.ts';
import type { Database } from '../database.ts';

/** What an addition writes to. */
const tables = ['library_tracks', 'library_albums', 'album_ingestion_batches', 'ingestion_outbox'];

/**
 * What orchestrators ask. Ready means that an addition could be stored. An identity provider that is away is told and not
 * counted: the keys that it published last serve on, and a restart would lose them.
 */
export function serveHealth(
  server: FastifyInstance,
  { database, keys, logger }: { database: Database; keys: RemoteKeys | null; logger: Logger },
): void {
  let readiness: Readiness | undefined;
  /** Why it was not ready when last asked: told once, however often an orchestrator asks. */
  let told: string | null = null;

  serveReadiness(server, async () => {
    const authentication = keys === null ? {} : { keys: reportOf(keys.state()) };
    try {
      readiness ??= createReadiness(database.sql, tables);
      await readiness.check();
      told = null;
      return { database: { state: 'ok' }, ...authentication };
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== told) {
        logger.warn({ event: 'not_ready', error: reason }, `not ready: no addition can be stored: ${reason}`);
      }
      told = reason;
      // Why is for the log: strangers reach the API.
      return { database: { state: 'unavailable' }, ...authentication };
    }
  });
}

function reportOf(state: KeysState): DependencyReport {
  if (state === 'ok') return { state };
  const what = state === 'stale' ? 'the keys that it published last serve on' : 'it has published none yet';
  return { state: 'degraded', reason: `the identity provider is away: ${what}` };
}
