import { listen } from '@segue/http/listen.ts';
import { hint } from '@segue/outbox/hint.ts';
import { run } from '@segue/process/run.ts';
import { atMost } from '@segue/process/timeLimit.ts';
import { createLogger } from '@segue/telemetry/logger.ts';
import { startTracing } from '@segue/telemetry/tracing.ts';
import { createTidalClient } from '@segue/tidal/client.ts';
import { createAuthenticate, keysOf } from './access/authentication.ts';
import { allowanceOf, unlimited } from './access/mutationAllowance.ts';
import { startCompletion } from './catalog/completion.ts';
import { hostRuleOf, limitsOf, readConfiguration, tokenChecks } from './configuration.ts';
import { openDatabase } from './database.ts';
import { createServer } from './http/server.ts';
import { IngestionHint } from './ingestion/hint.ts';
import { IngestionScheduler } from './ingestion/ingestionScheduler.ts';
import { createMetrics, showDatabase } from './metrics/metrics.ts';
import { countTidalRequests } from './metrics/tidalRequests.ts';

await run('api', async () => {
  const configuration = readConfiguration();
  const logger = createLogger('api', configuration.LOG_LEVEL);
  const tracing = await startTracing('api', configuration.OTEL_EXPORTER_OTLP_ENDPOINT, logger);
  const checks = tokenChecks(configuration);
  const metrics = createMetrics(configuration.METRICS_TOKEN, checks !== null);
  const catalog = createTidalClient({
    apiUrl: configuration.TIDAL_API_URL,
    authUrl: configuration.TIDAL_AUTH_URL,
    clientId: configuration.TIDAL_CLIENT_ID,
    clientSecret: configuration.TIDAL_CLIENT_SECRET,
    countryCode: configuration.TIDAL_COUNTRY_CODE,
    requestsPerSecond: configuration.TIDAL_REQUESTS_PER_SECOND,
    onRequest: countTidalRequests(metrics.meter),
  });
  const database = await openDatabase({
    url: configuration.DATABASE_URL,
    schema: configuration.DATABASE_SCHEMA,
    onLost: message => logger.warn({ event: 'database_connection_lost' }, message),
  });
  showDatabase(metrics, database);
  const ingestionHint = new IngestionHint(() => hint(database.sql), logger);
  const scheduler = new IngestionScheduler({ hint: ingestionHint, logger });
  const explorable = configuration.NODE_ENV !== 'production';
  const library = { database, catalog, scheduler, logger };
  const keys = keysOf(checks, error =>
    logger.warn(
      { event: 'signing_keys_stale', error },
      'the keys that are known serve on, for 24 hours at most',
    ),
  );
  const server = await createServer(library, {
    authenticate: createAuthenticate(checks, keys),
    keys,
    mutationAllowance: checks === null ? unlimited : allowanceOf(configuration.API_MUTATIONS_PER_MINUTE),
    limits: limitsOf(configuration),
    hostRule: hostRuleOf(configuration),
    allowedOrigins: configuration.API_ALLOWED_ORIGINS,
    explorable,
    metrics,
  });

  const { API_HOST: host, API_PORT: port } = configuration;
  const address = await listen(server, { variables: 'API', host, port });
  logger.info(
    { event: 'process_started', address },
    `api is running: GraphQL at ${address}/graphql${explorable ? `, its editor at ${address}/graphiql` : ''}`,
  );

  const completion = startCompletion(library);

  return {
    logger,
    async stop() {
      // A request may wait for TIDAL and then for a database that is silent: longer than the process has. Who has no answer
      // by then asks again.
      await Promise.all([atMost(6_500, completion.stop()), atMost(6_500, server.close())]);
      await atMost(1_000, ingestionHint.flush());
      await database.sql.end({ timeout: 1 });
      await tracing.stop();
    },
  };
});
