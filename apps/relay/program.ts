import type { ConnectionOptions } from '@segue/database/connection.ts';
import { openMigrated } from '@segue/database/openMigrated.ts';
import { connectThroughPooler } from '@segue/database/pooler.ts';
import { showPoolUse } from '@segue/database/poolUse.ts';
import { steadyPlans } from '@segue/outbox/plannerSettings.ts';
import { run } from '@segue/process/run.ts';
import { createLogger } from '@segue/telemetry/logger.ts';
import { startTracing } from '@segue/telemetry/tracing.ts';
import { createTrackIndex } from '@segue/track-index/trackIndex.ts';
import { listen } from './claiming/listen.ts';
import { Wake } from './claiming/poller.ts';
import { readConfiguration } from './configuration.ts';
import { accessSettings } from './console/access/variables.ts';
import { watchDependencies } from './console/live/dependencies.ts';
import { Breaker } from './guards/breaker.ts';
import { createEventSender } from './inngest/eventSender.ts';
import { Relay } from './relay.ts';
import { DatabaseFigures } from './reporting/databaseFigures.ts';
import { Metrics } from './reporting/metrics.ts';
import { countReconciled, showPause } from './reporting/reconciliationMetrics.ts';
import { figuresOf } from './reporting/settledFigures.ts';
import { endRowSessions, rowSession } from './rowSessions.ts';
import { startServer } from './server.ts';
import { keepHeartbeat } from './upkeep/heartbeat.ts';
import { keepConfirming } from './upkeep/indexConfirmation.ts';
import { MinuteFigures } from './upkeep/minuteFigures.ts';
import { IndexReconciliation } from './upkeep/reconciliation.ts';
import { keepRetention } from './upkeep/retention.ts';

const hourMs = 3_600_000;

/** For retention, confirmation, and what operators ask: rows do not wait for those. */
const besidesRows: Pick<ConnectionOptions, 'max' | 'settings'> = { max: 3, settings: steadyPlans };

await run('relay', async () => {
  const configuration = readConfiguration();
  const logger = createLogger('relay', configuration.LOG_LEVEL);
  const tracing = await startTracing('relay', configuration.OTEL_EXPORTER_OTLP_ENDPOINT, logger);
  const { DATABASE_URL: url } = configuration;
  const onLost = (message: string) => logger.warn({ event: 'database_connection_lost' }, message);
  const client = { url, schema: configuration.DATABASE_SCHEMA, applicationName: 'segue-relay', onLost };
  // The first looks whether there are tables.
  const sessions = {
    claiming: await openMigrated({ ...client, ...rowSession }),
    settling: await connectThroughPooler({ ...client, ...rowSession }),
  };
  const besides = await connectThroughPooler({ ...client, ...besidesRows });
  const inngestBreaker = new Breaker({ firstWaitMs: 1_000, longestWaitMs: 5_000 });
  const indexBreaker = new Breaker({ firstWaitMs: 5_000, longestWaitMs: 30_000 });
  const figures = new DatabaseFigures({ sql: besides });
  const metrics = new Metrics({ figures, inngestBreaker, indexBreaker });
  showPoolUse(metrics.meter, 'rows', sessions.claiming, sessions.settling);
  showPoolUse(metrics.meter, 'upkeep', besides);
  const wake = new Wake({ pollIntervalMs: configuration.RELAY_POLL_INTERVAL_MS });
  const index = createTrackIndex({
    url: configuration.QDRANT_URL,
    apiKey: configuration.QDRANT_API_KEY,
    collection: configuration.QDRANT_COLLECTION,
    timeoutMs: 2_000,
    onMissing: message => logger.warn({ event: 'collection_missing' }, message),
    onOtherShape: error => logger.error({ event: 'qdrant_error', error }, error),
  });
  if (configuration.QDRANT_API_KEY && configuration.QDRANT_URL.startsWith('http:')) {
    logger.warn(
      { event: 'unencrypted_key' },
      'QDRANT_API_KEY is sent unencrypted, since QDRANT_URL is http://: fine within one network only',
    );
  }
  const minutes = new MinuteFigures();
  const relay = new Relay({
    sessions,
    logger,
    wake,
    index,
    indexBreaker,
    sender: createEventSender(),
    inngestBreaker,
    onSettled: (settled, durations) => {
      metrics.batchDone(figuresOf(settled, durations));
      minutes.settled(settled);
    },
    sweepEveryMs: configuration.RELAY_POLL_INTERVAL_MS,
    batchSize: configuration.RELAY_BATCH_SIZE,
    concurrency: configuration.RELAY_CONCURRENCY,
    leaseMs: configuration.RELAY_LEASE_MS,
    maxAttempts: configuration.RELAY_MAX_ATTEMPTS,
    dedupeWindowMs: configuration.RELAY_DEDUPE_WINDOW_HOURS * hourMs,
  });

  // What people look at takes no session from the rows.
  const consoleSql = await connectThroughPooler({
    ...client,
    url: configuration.CONSOLE_DATABASE_URL ?? url,
    applicationName: 'segue-console',
    max: 2,
    settings: steadyPlans,
  });
  const dependencies = watchDependencies({ inngest: inngestBreaker, qdrant: indexBreaker });
  const server = await startServer({
    sql: besides,
    inngestBreaker,
    indexBreaker,
    metrics,
    metricsToken: configuration.METRICS_TOKEN,
    logger,
    console: {
      sql: consoleSql,
      access: accessSettings(configuration),
      health: dependencies.read,
      workerUrls: configuration.CONSOLE_WORKERS ?? [],
    },
    host: configuration.RELAY_HOST,
    port: configuration.RELAY_PORT,
    allowedHosts: configuration.RELAY_ALLOWED_HOSTS,
  });
  const stopListening = listen({ url, onLost }, () => wake.hint(), logger);
  const stopRetention = keepRetention(besides, configuration.RELAY_RETENTION_DAYS * 24 * hourMs, logger);
  const stopConfirming = keepConfirming({
    sql: besides,
    index,
    indexBreaker,
    logger,
    // A document is noticed within seconds, an older one within a minute.
    everyMs: 3_000,
    fullEveryMs: 30_000,
    youngestMs: 500,
  });
  const reconciliation = new IndexReconciliation({
    sql: besides,
    index,
    indexBreaker,
    logger,
    afterMs: configuration.RELAY_RECONCILE_AFTER_HOURS * hourMs,
    limit: configuration.RELAY_RECONCILE_LIMIT,
    perMinute: configuration.RELAY_RECONCILE_PER_MINUTE,
    everyMs: 30_000,
    onReconciled: reconciliation => countReconciled(metrics.meter, reconciliation),
  });
  showPause(metrics.meter, reconciliation);
  reconciliation.start();
  const stopHeartbeat = keepHeartbeat(besides, inngestBreaker);
  figures.start();
  const stopMinutes = minutes.start(besides);
  relay.start();
  logger.info({ event: 'process_started', address: server.listeningOrigin }, 'relay is running');

  return {
    logger,
    async stop() {
      await Promise.all([
        relay.stop(),
        stopListening(),
        stopRetention(),
        stopConfirming(),
        reconciliation.stop(),
        figures.stop(),
      ]);
      await Promise.all([stopHeartbeat(), stopMinutes()]);
      await server.close();
      dependencies.stop();
      const pools = [besides, consoleSql];
      await Promise.all([endRowSessions(sessions), ...pools.map(pool => pool.end({ timeout: 1 }))]);
      await tracing.stop();
    },
  };
});
