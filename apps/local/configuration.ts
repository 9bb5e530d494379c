import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { databaseSchema, databaseUrl } from '@segue/database/variables.ts';
import { httpUrl, port, readEnvironment, secret } from '@segue/process/environment.ts';
import { inngestDev } from '@segue/process/inngestMode.ts';
import { z } from 'zod';

/** Where the checkout lies. */
export const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** Where data stays; of `SEGUE_DATA_FOLDER`, by default `.segue` in the checkout. */
const dataFolderPath = z.string().default(join(checkout, '.segue'));

/** What `npm start` itself reads of the environment. */
export const schema = z.object({
  SEGUE_DATA_FOLDER: dataFolderPath,
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: port(4000),
  RELAY_HOST: z.string().default('127.0.0.1'),
  RELAY_PORT: port(4100),
  WORKER_HOST: z.string().default('127.0.0.1'),
  WORKER_PORT: port(4200),
  WORKER_THROTTLE_PER_MINUTE: z.string().optional(),
  DATABASE_URL: databaseUrl.optional(),
  DATABASE_SCHEMA: databaseSchema,
  TIDAL_API_URL: httpUrl.optional(),
  TIDAL_AUTH_URL: httpUrl.optional(),
  TIDAL_CLIENT_ID: secret.optional(),
  TIDAL_CLIENT_SECRET: secret.optional(),
  QDRANT_URL: httpUrl.optional(),
  QDRANT_API_KEY: secret.optional(),
  QDRANT_COLLECTION: z.string().default('tracks'),
  INNGEST_BASE_URL: httpUrl.optional(),
  INNGEST_EVENT_API_BASE_URL: httpUrl.optional(),
  INNGEST_EVENT_KEY: secret.optional(),
  INNGEST_DEV: inngestDev.optional(),
  INNGEST_SIGNING_KEY: secret.optional(),
  LOG_LEVEL: z.string().optional(),
});

/**
 * What this process itself needs of the environment. The processes that it starts read theirs, and say what is
 * wrong with it.
 */
export type Configuration = z.infer<typeof schema>;

/** What `npm run sql` reads. */
export const sqlSchema = schema.pick({ DATABASE_URL: true, DATABASE_SCHEMA: true, SEGUE_DATA_FOLDER: true });

/** @throws ConfigurationError naming every variable that is wrong */
export function readConfiguration(environment: NodeJS.ProcessEnv = process.env): Configuration {
  return readEnvironment(schema, environment);
}
