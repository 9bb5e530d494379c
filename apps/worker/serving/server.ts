import type { HostRule } from '@segue/http/hostGuard.ts';
import { listen } from '@segue/http/listen.ts';
import { type MetricsText, serveMetrics } from '@segue/http/metrics.ts';
import { serveReadiness } from '@segue/http/readiness.ts';
import { createHttpServer } from '@segue/http/server.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { within } from '@segue/process/timeLimit.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import type { FastifyInstance } from 'fastify';
import type { Inngest, InngestFunction } from 'inngest';
import inngestPlugin from 'inngest/fastify';
import { traceRuns } from './traceRuns.ts';

export type ServerOptions = {
  client: Inngest;
  functions: InngestFunction.Any[];
  /** Whether Inngest has our functions. */
  isRegistered(): boolean;
  /** Whether the collection is there. @throws when Qdrant cannot be asked */
  checkCollection(): Promise<boolean>;
  metrics: MetricsText;
  metricsToken: string | undefined;
  logger: Logger;
  hostRule: HostRule | null;
  host: string;
  port: number;
};

/** A run's state as Inngest sends it: 4 MB at the most. */
const bodyLimit = 4 * 1024 * 1024;
/** For Inngest to send it. */
const requestTimeoutMs = 30_000;
/** `/readyz` says that Qdrant does not answer when it takes longer. */
const qdrantWithinMs = 2_000;
/**
 * What a stop leaves for the steps in hand, of the 10 s that it may take; what takes longer is left to Inngest, which
 * tries it again.
 */
const finishWithinMs = 8_000;

export const servePath = '/api/inngest';

/** Serves the functions to Inngest at `/api/inngest`, and `/livez` and `/readyz` to operators. */
export async function startServer(options: ServerOptions): Promise<FastifyInstance> {
  const { client, functions, isRegistered, checkCollection, metrics, metricsToken } = options;
  const { logger, hostRule, host, port } = options;
  const server = createHttpServer({ logger, hostRule, bodyLimit, requestTimeoutMs, finishWithinMs });

  serveReadiness(server, async () => {
    const late = () => new Error(`no answer within ${qdrantWithinMs} ms`);
    const problem = await within(qdrantWithinMs, checkCollection(), late).then(
      exists => (exists ? undefined : 'the collection does not exist: the next document makes it'),
      reasonOf,
    );
    return {
      // Until then nothing runs here, and an Inngest without functions drops events.
      inngest: isRegistered()
        ? { state: 'ok' }
        : { state: 'unavailable', reason: 'Inngest does not have the functions of this worker' },
      // Runs wait for Qdrant by their retries.
      qdrant: problem === undefined ? { state: 'ok' } : { state: 'degraded', reason: problem },
    };
  });

  serveMetrics(server, metrics, metricsToken);
  traceRuns(server, servePath);
  await server.register(inngestPlugin, { client, functions, options: { servePath } });
  await listen(server, { variables: 'WORKER', host, port });
  return server;
}

/**
 * Registers the functions, as a PUT from Inngest would. The address that Inngest is told is the one that we listen on,
 * unless INNGEST_SERVE_ORIGIN names another; loopback stands for all addresses.
 *
 * @throws Error saying why Inngest did not take them
 */
export async function register(server: FastifyInstance): Promise<void> {
  const { host } = new URL(
    server.listeningOrigin.replace('//0.0.0.0', '//127.0.0.1').replace('[::]', '[::1]'),
  );
  const response = await server.inject({ method: 'PUT', url: servePath, headers: { host } });
  if (response.statusCode === 200) return;
  const { message, error } = response.json<{ message?: string; error?: string }>();
  throw new Error(message ?? error ?? `Inngest answered ${response.statusCode}`);
}
