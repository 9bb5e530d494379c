import { setTimeout } from 'node:timers/promises';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider, type SpanExporter } from '@opentelemetry/sdk-trace-node';
import type { Logger } from './lines.ts';
import type { Tracing } from './tracing.ts';

/** Of the 10 s that a process has for its end. */
const stopWithinMs = 2_000;

/** Loaded by `startTracing` alone. */
export function startExport(service: string, endpoint: string, logger: Logger): Tracing {
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': service }))
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES go before ours.
    .merge(detectResources({ detectors: [envDetector] }));
  const exporter = watched(new OTLPTraceExporter(), endpoint, logger);
  const provider = new NodeTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] });
  provider.register();
  return {
    async stop() {
      const late = new AbortController();
      const shutdown = provider.shutdown().catch(() => undefined);
      await Promise.race([shutdown, setTimeout(stopWithinMs, undefined, late).catch(() => undefined)]);
      late.abort();
    },
  };
}

/** Says once that the collector takes nothing, and once that it does again; the SDK would be silent. */
function watched(exporter: SpanExporter, endpoint: string, logger: Logger): SpanExporter {
  let failing = false;
  return {
    export(spans, done) {
      exporter.export(spans, result => {
        if (result.code !== 0 && !failing) {
          const error = result.error?.message ?? 'no reason given';
          logger.warn({ event: 'traces_lost', error }, `no spans are taken at ${new URL(endpoint).origin}`);
        } else if (result.code === 0 && failing) {
          logger.info({ event: 'traces_restored' }, 'spans are taken again');
        }
        failing = result.code !== 0;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}
