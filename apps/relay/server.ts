import type { Sql } from '@segue/database/connection.ts';
import { createReadiness } from '@segue/database/readiness.ts';
import { listen } from '@segue/http/listen.ts';
import { serveMetrics } from '@segue/http/metrics.ts';
import { type DependencyReport, serveReadiness } from '@segue/http/readiness.ts';
import { createHttpServer } from '@segue/http/server.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import type { FastifyInstance } from 'fastify';
import { type ConsoleOptions, serveConsole } from './console/console.ts';
import type { Breaker } from './guards/breaker.ts';
import type { Metrics } from './reporting/metrics.ts';

export type ServerOptions = {
  sql: Sql;
  inngestBreaker: Breaker;
  indexBreaker: Breaker;
  metrics: Metrics;
  metricsToken: string | undefined;
  logger: Logger;
  console: Omit<ConsoleOptions, 'logger'>;
  host: string;
  port: number;
  /** By which it is asked, besides by loopback and by `host`. */
  allowedHosts: readonly string[];
};

/** What a settlement writes to. */
const tables = ['ingestion_outbox', 'ingestion_ledger', 'album_ingestion_batches'];

/** Of the 10 s that a stop may take; a page is not waited for. */
const finishWithinMs = 2_000;

/** Serves what an operator asks of a relay. `/readyz` says whether rows could be read and settled now. */
export async function startServer(options: ServerOptions): Promise<FastifyInstance> {
  const { sql, inngestBreaker, indexBreaker, metrics, metricsToken, logger, host, port, allowedHosts } =
    options;
  const hostRule = { hosts: [host, ...allowedHosts], variable: 'RELAY_ALLOWED_HOSTS' };
  const readiness = createReadiness(sql, tables);
  const server = createHttpServer({ logger, hostRule, finishWithinMs });

  serveReadiness(server, async () => {
    const reason = await readiness.check().then(() => undefined, reasonOf);
    return {
      database: { state: reason === undefined ? 'ok' : 'unavailable', reason },
      // Rows wait for Inngest and nothing is lost, and without the index they are sent unasked (rule R7).
      inngest: stateOf(inngestBreaker, 'takes no events: requests wait'),
      qdrant: stateOf(indexBreaker, 'does not answer: what may be indexed already is sent, too'),
    };
  });

  serveMetrics(server, metrics.meter, metricsToken);

  await serveConsole(server, { ...options.console, logger });

  await listen(server, { variables: 'RELAY', host, port });
  return server;
}

function stateOf(breaker: Breaker, reason: string): DependencyReport {
  return breaker.isHeldBack ? { state: 'degraded', reason, forMs: breaker.heldBackMs } : { state: 'ok' };
}
