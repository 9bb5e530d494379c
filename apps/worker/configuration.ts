import { allowedHosts } from '@segue/http/allowedHosts.ts';
import type { HostRule } from '@segue/http/hostGuard.ts';
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

/** What the worker reads of the environment. */
export const schema = z.object({
  WORKER_HOST: z.string().default('127.0.0.1'),
  WORKER_PORT: port(4200),
  WORKER_ALLOWED_HOSTS: allowedHosts,
  WORKER_RETRIES: wholeNumber(5, { min: 0, max: 20 }),
  WORKER_CONCURRENCY: wholeNumber(10, { min: 1, max: 1_000 }),
  WORKER_THROTTLE_PER_MINUTE: wholeNumber(10, { min: 0, max: 1_000_000 }),
  QDRANT_URL: httpUrl,
  QDRANT_API_KEY: secret.optional(),
  QDRANT_COLLECTION: z.string().default('tracks'),
  INNGEST_BASE_URL: httpUrl.optional(),
  INNGEST_EVENT_API_BASE_URL: httpUrl.optional(),
  INNGEST_EVENT_KEY: secret.optional(),
  INNGEST_SIGNING_KEY: secret.optional(),
  INNGEST_SIGNING_KEY_FALLBACK: secret.optional(),
  INNGEST_DEV: inngestDev.optional(),
  INNGEST_SERVE_ORIGIN: httpUrl.optional(),
  EMBEDDING_PROVIDER: z
    .enum(['hashed', 'tei', 'openai', 'none'], { error: 'must be one of hashed, tei, openai, none' })
    .default('hashed'),
  EMBEDDING_URL: httpUrl.optional(),
  EMBEDDING_MODEL: z.string().optional(),
  EMBEDDING_API_KEY: secret.optional(),
  EMBEDDING_TIMEOUT_MS: wholeNumber(30_000, { min: 100, max: 600_000 }),
  METRICS_TOKEN: metricsToken,
  LOG_LEVEL: logLevel,
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
});

export type Configuration = z.infer<typeof schema> & {
  /** Whether Inngest is a Dev Server, which takes any key and signs nothing. */
  isDev: boolean;
};

/** @throws ConfigurationError naming the variable */
export function readConfiguration(environment: NodeJS.ProcessEnv = process.env): Configuration {
  const configuration = readEnvironment(schema, environment);
  const isDev = isDevMode(configuration.INNGEST_DEV);
  const missing = [...missingForInngest(configuration, isDev), ...missingForEmbeddings(configuration)];
  if (missing.length > 0) throw new ConfigurationError(missing.join('; '));
  return { ...configuration, isDev };
}

/**
 * To which hosts the worker answers; null for any. A page on the web cannot sign a request, so where Inngest does there
 * is a rule only if one is asked for.
 */
export function hostRuleOf(configuration: Configuration): HostRule | null {
  const { WORKER_ALLOWED_HOSTS: listed, WORKER_HOST, INNGEST_SERVE_ORIGIN, isDev } = configuration;
  if (!isDev && listed.length === 0) return null;
  const served = INNGEST_SERVE_ORIGIN === undefined ? [] : [new URL(INNGEST_SERVE_ORIGIN).hostname];
  return { hosts: [WORKER_HOST, ...served, ...listed], variable: 'WORKER_ALLOWED_HOSTS' };
}

function missingForInngest(
  { INNGEST_EVENT_KEY, INNGEST_SIGNING_KEY }: z.infer<typeof schema>,
  isDev: boolean,
): string[] {
  if (isDev) return [];
  const need = 'Inngest Cloud and a self-hosted server need it; for a Dev Server set INNGEST_DEV=1';
  return [
    ...(INNGEST_SIGNING_KEY ? [] : [`INNGEST_SIGNING_KEY is not set. ${need}`]),
    ...(INNGEST_EVENT_KEY ? [] : [`INNGEST_EVENT_KEY is not set. ${need}`]),
  ];
}

function missingForEmbeddings(configuration: z.infer<typeof schema>): string[] {
  const needed = {
    hashed: [],
    none: [],
    tei: ['EMBEDDING_URL'],
    openai: ['EMBEDDING_URL', 'EMBEDDING_MODEL'],
  } as const satisfies Record<string, (keyof Configuration)[]>;
  const { EMBEDDING_PROVIDER: provider } = configuration;
  return needed[provider]
    .filter(variable => !configuration[variable])
    .map(variable => `${variable} is not set, and EMBEDDING_PROVIDER=${provider} needs it`);
}
