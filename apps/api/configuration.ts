import { databaseUrl, httpUrl, logLevel, port, readEnvironment } from '@segue/process/environment.ts';
import { z } from 'zod';

const schema = z.object({
  DATABASE_URL: databaseUrl,
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: port(4000),
  TIDAL_API_URL: httpUrl.default('https://openapi.tidal.com/v2'),
  TIDAL_AUTH_URL: httpUrl.default('https://auth.tidal.com/v1/oauth2/token'),
  TIDAL_CLIENT_ID: z.string(),
  TIDAL_CLIENT_SECRET: z.string(),
  TIDAL_COUNTRY_CODE: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be two capital letters, such as US')
    .default('US'),
  LOG_LEVEL: logLevel,
});

export type Configuration = z.infer<typeof schema>;

/** @throws ConfigurationError naming every variable that is missing or wrong */
export function readConfiguration(environment: NodeJS.ProcessEnv = process.env): Configuration {
  return readEnvironment(schema, environment);
}
