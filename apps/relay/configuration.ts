import { databaseSchema, databaseUrl } from '@segue/database/variables.ts';
import { allowedHosts } from '@segue/http/allowedHosts.ts';
import {
  ConfigurationError,
  httpUrl,
  logLevel,
  metricsToken,
  port,
  readEnvironment,
  secret,
  wholeNumber,
} from '@segue/process/environment.ts';
import { inngestDev, isDevMode } from '@segue/process/inngestMode.ts';
import { z } from 'zod';
import { accessSettings, consoleVariables } from './console/access/variables.ts';

/** What the relay reads of the environment. */
export const schema = z.object({
  DATABASE_URL: databaseUrl,
  DATABASE_SCHEMA: databaseSchema,
  RELAY_HOST: z.string().default('127.0.0.1'),
  RELAY_PORT: port(4100),
  RELAY_ALLOWED_HOSTS: allowedHosts,
  QDRANT_URL: httpUrl,
  QDRANT_API_KEY: secret.optional(),
  QDRANT_COLLECTION: z.string().default('tracks'),
  INNGEST_BASE_URL: httpUrl.optional(),
  INNGEST_EVENT_API_BASE_URL: httpUrl.optional(),
  INNGEST_EVENT_KEY: secret.optional(),
  INNGEST_DEV: inngestDev.optional(),
  // Measured: `npm run bench -- batches`. Beyond a thousand rows a claim wins little, and holds more.
  RELAY_BATCH_SIZE: wholeNumber(1_000, { min: 1, max: 5_000 }),
  RELAY_CONCURRENCY: wholeNumber(4, { min: 1, max: 64 }),
  RELAY_POLL_INTERVAL_MS: wholeNumber(1_000, { min: 10, max: 60_000 }),
  RELAY_LEASE_MS: wholeNumber(5_000, { min: 1_000, max: 3_600_000 }),
  RELAY_MAX_ATTEMPTS: wholeNumber(10, { min: 1, max: 1_000 }),
  RELAY_DEDUPE_WINDOW_HOURS: wholeNumber(24, { min: 0, max: 8_760 }),
  RELAY_RETENTION_DAYS: wholeNumber(7, { min: 0, max: 3_650 }),
  // A run's event id is remembered for 24 hours from its receipt: what is sent anew earlier would be dropped.
  RELAY_RECONCILE_AFTER_HOURS: wholeNumber(26, { min: 25, max: 8_760 }),
  RELAY_RECONCILE_LIMIT: wholeNumber(3, { min: 1, max: 100 }),
  RELAY_RECONCILE_PER_MINUTE: wholeNumber(10, { min: 0, max: 1_000 }),
  METRICS_TOKEN: metricsToken,
  LOG_LEVEL: logLevel,
  ...consoleVariables,
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
});

export type Configuration = z.infer<typeof schema>;

/** @throws ConfigurationError naming the variable */
export function readConfiguration(environment: NodeJS.ProcessEnv = process.env): Configuration {
  const configuration = readEnvironment(schema, environment);
  if (!configuration.INNGEST_EVENT_KEY && !isDevMode(configuration.INNGEST_DEV)) {
    throw new ConfigurationError(
      'INNGEST_EVENT_KEY is not set. Inngest Cloud and a self-hosted server need it; for a Dev Server set INNGEST_DEV=1',
    );
  }
  // Throws where the variables of the console do not fit together.
  accessSettings(configuration);
  return configuration;
}
