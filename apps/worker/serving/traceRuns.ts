import { context, type Span, SpanKind, trace } from '@opentelemetry/api';
import { ingestionRequested } from '@segue/ingestion/event.ts';
import { traceContextOf } from '@segue/telemetry/origin.ts';
import { names, tracer } from '@segue/telemetry/spans.ts';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const spans = new WeakMap<FastifyRequest, Span>();

/**
 * Makes a span for each request of Inngest that runs a step. It belongs to the trace that Inngest keeps of the run, whose
 * context the request carries.
 *
 * @param servePath where Inngest calls the functions
 */
export function traceRuns(server: FastifyInstance, servePath: string): void {
  // Only here, behind the body: what is read of a connection runs in the context of the connection.
  server.addHook('preValidation', (request, _reply, done) => {
    if (request.method !== 'POST' || request.routeOptions.url !== servePath) return done();
    const { traceparent } = request.headers;
    const parent = traceContextOf(typeof traceparent === 'string' ? traceparent : null);
    const attributes = {
      [names.messagingSystem]: 'inngest',
      [names.messagingDestination]: ingestionRequested,
      [names.messagingOperation]: 'process',
      [names.messagingOperationType]: 'process',
    };
    const span = tracer.startSpan(
      `process ${ingestionRequested}`,
      { kind: SpanKind.CONSUMER, attributes },
      parent,
    );
    spans.set(request, span);
    context.with(trace.setSpan(parent, span), done);
  });
  server.addHook('onResponse', async (request, reply) => {
    spans.get(request)?.setAttribute(names.httpStatus, reply.statusCode).end();
  });
}
