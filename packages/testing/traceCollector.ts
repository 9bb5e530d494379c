import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';

/** A span as OTLP's JSON has it, its attributes as an object. */
export type CollectedSpan = {
  service: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** 2: server, 3: client, 4: producer. */
  kind: number;
  attributes: Record<string, unknown>;
  links: { traceId: string; spanId: string }[];
  /** Code 2: an error. */
  status: { code?: number; message?: string };
};

type Attribute = { key: string; value: Record<string, unknown> };
type Exported = {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: {
      spans: (Omit<CollectedSpan, 'attributes' | 'links'> & {
        attributes: Attribute[];
        links?: CollectedSpan['links'];
      })[];
    }[];
  }[];
};

/** A collector of traces that takes OTLP as JSON over HTTP; closed when the test is over. */
export async function startTraceCollector() {
  const spans: CollectedSpan[] = [];
  const server = createServer(async (request, response) => {
    const { resourceSpans } = (await json(request)) as Exported;
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = String(valuesOf(resource.attributes)['service.name']);
      for (const span of scopeSpans.flatMap(scope => scope.spans)) {
        spans.push({ ...span, service, attributes: valuesOf(span.attributes), links: span.links ?? [] });
      }
    }
    response.setHeader('content-type', 'application/json').end('{}');
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    /** Waits for a span. */
    find: (fits: (span: CollectedSpan) => boolean): Promise<CollectedSpan> =>
      eventually(
        () => {
          const found = spans.find(fits);
          if (found === undefined) {
            throw new Error(
              `no such span among ${spans.map(({ service, name }) => `${service} ${name}`).join(', ')}`,
            );
          }
          return found;
        },
        { timeoutMs: 20_000 },
      ),
  };
}

function valuesOf(attributes: Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
