import { ConfigurationError } from '@segue/process/environment.ts';
import { run } from '@segue/process/run.ts';
import { createLogger } from '@segue/telemetry/logger.ts';
import { createMeter } from '@segue/telemetry/metrics/meter.ts';
import { startTracing } from '@segue/telemetry/tracing.ts';
import { CollectionShapeError } from '@segue/track-index/collection.ts';
import { connectToIndex } from '@segue/track-index/connect.ts';
import { hostRuleOf, readConfiguration } from './configuration.ts';
import { createEmbedder } from './embedding/embedder.ts';
import { measured } from './embedding/measured.ts';
import { createInngestClient } from './inngestClient.ts';
import { guardCollection } from './serving/collectionGuard.ts';
import { startRegistration } from './serving/registration.ts';
import { register, startServer } from './serving/server.ts';
import { createTrackIngestion } from './trackIngestion.ts';

const loopback = ['127.0.0.1', '::1', 'localhost'];

await run('worker', async () => {
  const configuration = readConfiguration();
  const { isDev } = configuration;
  const logger = createLogger('worker', configuration.LOG_LEVEL);
  const tracing = await startTracing('worker', configuration.OTEL_EXPORTER_OTLP_ENDPOINT, logger);
  const connection = connectToIndex({
    url: configuration.QDRANT_URL,
    apiKey: configuration.QDRANT_API_KEY,
    collection: configuration.QDRANT_COLLECTION,
    timeoutMs: 10_000,
  });
  if (configuration.QDRANT_API_KEY && configuration.QDRANT_URL.startsWith('http:')) {
    logger.warn(
      { event: 'unencrypted_key' },
      'QDRANT_API_KEY is sent unencrypted, since QDRANT_URL is http://: fine within one network only',
    );
  }
  if (isDev && !loopback.includes(configuration.WORKER_HOST)) {
    logger.warn(
      { event: 'unsigned_requests' },
      'a Dev Server signs nothing, so whoever reaches this port can run functions: fine within one network only',
    );
  }
  const guard = await guardCollection(connection, logger, error => {
    throw error;
  }).catch(error => {
    if (error instanceof CollectionShapeError) throw new ConfigurationError(error.message);
    throw error;
  });

  const meter = createMeter('worker');
  const client = createInngestClient(logger, isDev);
  const embedder = createEmbedder(configuration);
  const trackIngestion = createTrackIngestion({
    client,
    connection,
    embedder: measured(embedder, meter),
    logger,
    meter,
    retries: configuration.WORKER_RETRIES,
    concurrency: configuration.WORKER_CONCURRENCY,
    throttlePerMinute: configuration.WORKER_THROTTLE_PER_MINUTE,
  });
  let isRegistered = () => false;
  const server = await startServer({
    client,
    functions: [trackIngestion],
    isRegistered: () => isRegistered(),
    checkCollection: guard.check,
    metrics: meter,
    metricsToken: configuration.METRICS_TOKEN,
    logger,
    hostRule: hostRuleOf(configuration),
    host: configuration.WORKER_HOST,
    port: configuration.WORKER_PORT,
  });
  const registration = startRegistration({
    register: () => register(server),
    probe: () => probe(client.apiBaseUrl),
    forgetful: isDev,
    logger,
  });
  isRegistered = () => registration.isRegistered;
  meter.read('segue_worker_registered', {}, () => Number(registration.isRegistered));
  const { provider, model } = embedder;
  logger.info(
    { event: 'process_started', address: server.listeningOrigin, embedding: provider, model },
    'worker is running',
  );

  return {
    logger,
    async stop() {
      registration.stop();
      guard.stop();
      await server.close();
      await tracing.stop();
    },
  };
});

/** Any answer at all is one. */
async function probe(url: string): Promise<void> {
  await (await fetch(url, { signal: AbortSignal.timeout(5_000) })).body?.cancel();
}
