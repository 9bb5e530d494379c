import { openMigrated } from '@segue/database/openMigrated.ts';
import { steadyPlans } from '@segue/outbox/steadyPlans.ts';
import { createLogger } from '@segue/process/logger.ts';
import { run } from '@segue/process/run.ts';
import { Breaker } from './breaker.ts';
import { readConfiguration } from './configuration.ts';
import { keepConfirming } from './confirmation.ts';
import { createEventSender } from './inngest/eventSender.ts';
import { listen } from './listen.ts';
import { Metrics } from './metrics.ts';
import { createTrackIndex } from './qdrant/trackIndex.ts';
import { Relay } from './relay.ts';
import { keepRetention } from './retention.ts';
import { startServer } from './server.ts';
import { mostUnderWay } from './turns.ts';
import { Wake } from './wake.ts';

const hourMs = 3_600_000;

await run('relay', async () => {
  const configuration = readConfiguration();
  const logger = createLogger('relay', configuration.LOG_LEVEL);
  const sql = await openMigrated({
    url: configuration.DATABASE_URL,
    applicationName: 'segue-relay',
    // A connection for each batch under way, and three for the claim, the retention and /readyz.
    max: mostUnderWay(configuration.RELAY_CONCURRENCY) + 3,
    settings: steadyPlans,
  });
  const inngestBreaker = new Breaker({ firstWaitMs: 1_000, longestWaitMs: 5_000 });
  const indexBreaker = new Breaker({ firstWaitMs: 5_000, longestWaitMs: 30_000 });
  const metrics = new Metrics({ sql, inngestBreaker, indexBreaker });
  const wake = new Wake({ pollIntervalMs: configuration.RELAY_POLL_INTERVAL_MS });
  const index = createTrackIndex({
    url: configuration.QDRANT_URL,
    apiKey: configuration.QDRANT_API_KEY,
    collection: configuration.QDRANT_COLLECTION,
    timeoutMs: 2_000,
  });
  if (configuration.QDRANT_API_KEY && configuration.QDRANT_URL.startsWith('http:')) {
    logger.warn(
      'QDRANT_API_KEY is sent unencrypted, since QDRANT_URL is http://: fine within one network only',
    );
  }
  const relay = new Relay({
    sql,
    logger,
    wake,
    index,
    indexBreaker,
    sender: createEventSender(),
    inngestBreaker,
    onSettled: (settled, durationMs) => metrics.batchSettled(settled, durationMs),
    sweepEveryMs: configuration.RELAY_POLL_INTERVAL_MS,
    batchSize: configuration.RELAY_BATCH_SIZE,
    concurrency: configuration.RELAY_CONCURRENCY,
    leaseMs: configuration.RELAY_LEASE_MS,
    maxAttempts: configuration.RELAY_MAX_ATTEMPTS,
    dedupeWindowMs: configuration.RELAY_DEDUPE_WINDOW_HOURS * hourMs,
  });

  const server = await startServer({
    sql,
    inngestBreaker,
    indexBreaker,
    metrics,
    host: configuration.RELAY_HOST,
    port: configuration.RELAY_PORT,
  });
  const stopListening = listen(configuration.DATABASE_URL, () => wake.hint(), logger);
  const stopRetention = keepRetention(sql, configuration.RELAY_RETENTION_DAYS * 24 * hourMs, logger);
  const stopConfirming = keepConfirming({
    sql,
    index,
    indexBreaker,
    logger,
    everyMs: 60_000,
    youngestMs: 20_000,
  });
  relay.start();
  logger.info({ address: server.listeningOrigin }, 'relay is running');

  return {
    logger,
    async stop() {
      await Promise.all([relay.stop(), stopListening(), stopRetention(), stopConfirming()]);
      await server.close();
      await sql.end({ timeout: 1 });
    },
  };
});
