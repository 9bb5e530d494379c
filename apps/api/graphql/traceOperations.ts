import { context, type Span, SpanKind, trace } from '@opentelemetry/api';
import { names, tracer } from '@segue/telemetry/spans.ts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { requestedOperation } from './requestedOperation.ts';

const spans = new WeakMap<FastifyRequest, Span>();

/**
 * Makes a span for each GraphQL request, from the moment that its body is read to the answer. It carries on the trace of
 * the client's `traceparent`, which `carryRequestId` has made the context; so this comes after it.
 */
export function traceOperations(server: FastifyInstance): void {
  server.addHook('preValidation', (request, _reply, done) => {
    if (request.routeOptions.url !== '/graphql') return done();
    const attributes = {
      [names.httpMethod]: request.method,
      [names.httpRoute]: '/graphql',
      [names.requestId]: request.id,
    };
    const span = tracer.startSpan('graphql', { kind: SpanKind.SERVER, attributes });
    spans.set(request, span);
    context.with(trace.setSpan(context.active(), span), done);
  });
  server.addHook('onResponse', async (request, reply) => {
    spans.get(request)?.setAttribute(names.httpStatus, reply.statusCode).end();
  });
}

/** Names the spans by what is asked for, once it is known; to be called when mercurius is there. */
export function nameOperations(server: FastifyInstance): void {
  server.graphql.addHook('preExecution', async (_schema, document, { reply }) => {
    const span = spans.get(reply.request);
    if (span === undefined || !span.isRecording()) return;
    const { operation, name, selectionSet } = requestedOperation(document, reply.request);
    const fields = selectionSet.selections.flatMap(field => (field.kind === 'Field' ? field.name.value : []));
    // Fields are a closed set; the name is the client's, and may be any.
    span.updateName(fields.length === 1 ? `${operation} ${fields[0]}` : operation);
    span.setAttribute(names.graphqlOperationType, operation);
    if (name) span.setAttribute(names.graphqlOperationName, name.value);
  });
}
