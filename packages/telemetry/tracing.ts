import type { Logger } from './lines.ts';

export type Tracing = {
  /** Sends what is left, for two seconds at the most. Never throws. */
  stop(): Promise<void>;
};

let tracing = false;

/** Whether spans are made and exported by this process. */
export function isTracing(): boolean {
  return tracing;
}

/**
 * Exports spans to a collector (OTLP over HTTP) where there is one. Without, the SDK is not even loaded: it takes 180 ms
 * and 24 MB. To be called before the database is opened, whose statements are traced from then on.
 *
 * @param service without prefix: `api`
 * @param endpoint `OTEL_EXPORTER_OTLP_ENDPOINT`; the SDK reads the other `OTEL_…` variables itself
 */
export async function startTracing(
  service: string,
  endpoint: string | undefined,
  logger: Logger,
): Promise<Tracing> {
  if (endpoint === undefined) return { stop: async () => undefined };
  const { startExport } = await import('./traceExport.ts');
  tracing = true;
  return startExport(`segue-${service}`, endpoint, logger);
}
