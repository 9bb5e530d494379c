import { BlockList, isIP } from 'node:net';
import { databaseSchema, databaseUrl } from '@segue/database/variables.ts';
import { allowedHosts } from '@segue/http/allowedHosts.ts';
import type { HostRule } from '@segue/http/hostGuard.ts';
import {
  ConfigurationError,
  commaSeparated,
  httpUrl,
  logLevel,
  metricsToken,
  port,
  readEnvironment,
  secret,
  wholeNumber,
} from '@segue/process/environment.ts';
import { z } from 'zod';
import { defaultClockToleranceSeconds, type TokenChecks } from './access/authentication.ts';
import { defaultLimits, defaultMutationsPerMinute, type Limits } from './http/limits.ts';

const publicTidalApi = 'https://openapi.tidal.com/v2';
/** The public API gave back about a token a second and took more for some requests; it answers 429 soon. */
const publicTidalRequestsPerSecond = 4;

/** What the API reads of the environment. */
export const schema = z.object({
  DATABASE_URL: databaseUrl,
  DATABASE_SCHEMA: databaseSchema,
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: port(4000),
  API_ALLOWED_HOSTS: allowedHosts,
  API_ALLOWED_ORIGINS: z
    .string()
    .default('')
    .transform(commaSeparated)
    .refine(
      origins => origins.every(origin => URL.parse(origin)?.origin === origin),
      'must be origins such as https://app.example.com, separated by commas',
    ),
  API_BODY_LIMIT_BYTES: wholeNumber(defaultLimits.bodyBytes, { min: 1024, max: 10 * 1024 * 1024 }),
  API_MAX_QUERY_TOKENS: wholeNumber(defaultLimits.queryTokens, { min: 100, max: 100_000 }),
  API_MAX_QUERY_DEPTH: wholeNumber(defaultLimits.queryDepth, { min: 1, max: 100 }),
  API_MAX_QUERY_COMPLEXITY: wholeNumber(defaultLimits.queryComplexity, { min: 100, max: 10_000_000 }),
  API_MAX_LISTING_COMPLEXITY: wholeNumber(defaultLimits.listingComplexity, { min: 100, max: 10_000_000 }),
  API_MAX_QUERY_ALIASES: wholeNumber(defaultLimits.queryAliases, { min: 0, max: 10_000 }),
  API_MAX_PAGE_SIZE: wholeNumber(defaultLimits.pageSize, { min: 1, max: 200 }),
  API_MAX_BULK_SIZE: wholeNumber(defaultLimits.bulkSize, { min: 1, max: 100 }),
  API_MUTATIONS_PER_MINUTE: wholeNumber(defaultMutationsPerMinute, { min: 1, max: 1_000_000 }),
  API_REQUEST_TIMEOUT_MS: wholeNumber(defaultLimits.requestTimeoutMs, { min: 1_000, max: 300_000 }),
  API_CATALOG_BUDGET_MS: wholeNumber(defaultLimits.catalogBudgetMs, { min: 100, max: 60_000 }),
  AUTH_JWKS_URL: httpUrl.optional(),
  // RFC 7518, 3.2: as long as the hash at least. A shorter one can be found out from a single token.
  AUTH_JWT_SECRET: secret.min(32, 'must have at least 32 characters').optional(),
  AUTH_ISSUER: z.string().optional(),
  AUTH_AUDIENCE: z.string().optional(),
  AUTH_CLOCK_TOLERANCE_SECONDS: wholeNumber(defaultClockToleranceSeconds, { min: 0, max: 300 }),
  NODE_ENV: z.string().optional(),
  TIDAL_API_URL: httpUrl.default(publicTidalApi),
  TIDAL_AUTH_URL: httpUrl.default('https://auth.tidal.com/v1/oauth2/token'),
  TIDAL_CLIENT_ID: secret,
  TIDAL_CLIENT_SECRET: secret,
  TIDAL_COUNTRY_CODE: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be two capital letters, such as US')
    .default('US'),
  TIDAL_REQUESTS_PER_SECOND: z
    .string()
    .regex(/^\d{1,4}(\.\d{1,3})?$/, 'must be a number such as 4 or 0.5')
    .transform(Number)
    .refine(number => number > 0, 'must be more than 0')
    .optional(),
  METRICS_TOKEN: metricsToken,
  LOG_LEVEL: logLevel,
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
});

export type Configuration = Omit<z.infer<typeof schema>, 'TIDAL_REQUESTS_PER_SECOND'> & {
  /** Undefined: unlimited. */
  TIDAL_REQUESTS_PER_SECOND: number | undefined;
};

/** @throws ConfigurationError naming every variable that is missing or wrong */
export function readConfiguration(environment: NodeJS.ProcessEnv = process.env): Configuration {
  const configuration = readEnvironment(schema, environment);
  if (tokenChecks(configuration) === null) demandLoopback(configuration.API_HOST);
  const { TIDAL_API_URL, TIDAL_REQUESTS_PER_SECOND } = configuration;
  const usual = TIDAL_API_URL === publicTidalApi ? publicTidalRequestsPerSecond : undefined;
  return { ...configuration, TIDAL_REQUESTS_PER_SECOND: TIDAL_REQUESTS_PER_SECOND ?? usual };
}

type TokenVariables = Pick<
  z.infer<typeof schema>,
  'AUTH_JWKS_URL' | 'AUTH_JWT_SECRET' | 'AUTH_ISSUER' | 'AUTH_AUDIENCE' | 'AUTH_CLOCK_TOLERANCE_SECONDS'
>;

/**
 * How tokens are checked; null when they are not.
 *
 * @throws ConfigurationError for variables that leave open what is meant
 */
export function tokenChecks({
  AUTH_JWKS_URL: jwksUrl,
  AUTH_JWT_SECRET: jwtSecret,
  AUTH_ISSUER: issuer,
  AUTH_AUDIENCE: audience,
  AUTH_CLOCK_TOLERANCE_SECONDS: clockToleranceSeconds,
}: TokenVariables): TokenChecks {
  if (jwksUrl !== undefined && jwtSecret !== undefined) {
    throw new ConfigurationError('AUTH_JWKS_URL and AUTH_JWT_SECRET are both set: set the one that is meant');
  }
  if (jwtSecret !== undefined) return { secret: jwtSecret, issuer, audience, clockToleranceSeconds };
  if (jwksUrl !== undefined) {
    // The same keys sign the tokens of all that the issuer serves.
    if (issuer === undefined)
      throw new ConfigurationError('AUTH_ISSUER is not set, and AUTH_JWKS_URL needs it');
    if (audience === undefined) {
      throw new ConfigurationError('AUTH_AUDIENCE is not set, and AUTH_JWKS_URL needs it');
    }
    return { jwksUrl, issuer, audience, clockToleranceSeconds };
  }
  if (issuer === undefined && audience === undefined) return null;
  throw new ConfigurationError(
    'AUTH_ISSUER or AUTH_AUDIENCE is set, and no token can be checked: set AUTH_JWKS_URL or AUTH_JWT_SECRET',
  );
}

/**
 * To which hosts the API answers; null for any. A token is not sent by a page that merely points its name here, so with
 * tokens there is a rule only where one is asked for.
 */
export function hostRuleOf(configuration: Configuration): HostRule | null {
  const { API_ALLOWED_HOSTS: hosts } = configuration;
  if (hosts.length === 0 && tokenChecks(configuration) !== null) return null;
  return { hosts, variable: 'API_ALLOWED_HOSTS' };
}

export function limitsOf(configuration: Configuration): Limits {
  return {
    bodyBytes: configuration.API_BODY_LIMIT_BYTES,
    queryTokens: configuration.API_MAX_QUERY_TOKENS,
    queryDepth: configuration.API_MAX_QUERY_DEPTH,
    queryComplexity: configuration.API_MAX_QUERY_COMPLEXITY,
    queryAliases: configuration.API_MAX_QUERY_ALIASES,
    listingComplexity: configuration.API_MAX_LISTING_COMPLEXITY,
    pageSize: configuration.API_MAX_PAGE_SIZE,
    bulkSize: configuration.API_MAX_BULK_SIZE,
    requestTimeoutMs: configuration.API_REQUEST_TIMEOUT_MS,
    catalogBudgetMs: configuration.API_CATALOG_BUDGET_MS,
  };
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** Without tokens whoever reaches the port is the one local user. */
function demandLoopback(host: string): void {
  const isLoopback =
    host === 'localhost' || (isIP(host) !== 0 && loopback.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4'));
  if (isLoopback) return;
  throw new ConfigurationError(
    `API_HOST ${host} can be reached by others, and nobody has to say who they are: ` +
      'set AUTH_JWKS_URL or AUTH_JWT_SECRET, or API_HOST to 127.0.0.1',
  );
}
