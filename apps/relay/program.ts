import { run } from '@segue/process/run.ts';
import { startServices } from '@segue/process/services.ts';
import { createLogger } from '@segue/telemetry/logger.ts';
import { startTracing } from '@segue/telemetry/tracing.ts';
import { composeRelay } from './compose.ts';
import { readConfiguration } from './configuration.ts';

await run('relay', async () => {
  const configuration = readConfiguration();
  const logger = createLogger('relay', configuration.LOG_LEVEL);
  const tracing = await startTracing('relay', configuration.OTEL_EXPORTER_OTLP_ENDPOINT, logger);
  if (configuration.QDRANT_API_KEY && configuration.QDRANT_URL.startsWith('http:')) {
    logger.warn(
      { event: 'unencrypted_key' },
      'QDRANT_API_KEY is sent unencrypted, since QDRANT_URL is http://: fine within one network only',
    );
  }
  const { services, address } = await composeRelay(configuration, logger);
  const stopServices = await startServices(services);
  logger.info({ event: 'process_started', address: address() }, 'relay is running');
  return {
    logger,
    async stop() {
      await stopServices();
      await tracing.stop();
    },
  };
});
