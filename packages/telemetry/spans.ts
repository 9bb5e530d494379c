import {
  type Attributes,
  context,
  INVALID_SPAN_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

/** Ours; resolves to nothing at all until `startTracing` has set up an exporter. */
export const tracer = trace.getTracer('segue');

/**
 * The names of attributes, as the semantic conventions 1.44 have them. Many are still in development there: they are
 * changed here, and nowhere else.
 */
export const names = {
  databaseCollection: 'db.collection.name',
  databaseSystem: 'db.system.name',
  databaseQuery: 'db.query.text',
  errorType: 'error.type',
  graphqlOperationName: 'graphql.operation.name',
  graphqlOperationType: 'graphql.operation.type',
  httpMethod: 'http.request.method',
  httpRoute: 'http.route',
  httpStatus: 'http.response.status_code',
  messagingSystem: 'messaging.system',
  messagingOperation: 'messaging.operation.name',
  messagingOperationType: 'messaging.operation.type',
  messagingDestination: 'messaging.destination.name',
  messagingMessage: 'messaging.message.id',
  messagingBatchSize: 'messaging.batch.message_count',
  isrc: 'segue.isrc',
  outcome: 'segue.outcome',
  requestId: 'segue.request_id',
  serverAddress: 'server.address',
  subject: 'segue.subject',
} as const;

const noSpan = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/** Whether what runs now belongs to a trace that is recorded. */
export function isTraced(): boolean {
  const active = trace.getSpanContext(context.active());
  return active !== undefined && (active.traceFlags & 1) === 1;
}

/**
 * Runs a call to another service in a span of its own, as {@link inSpan} does.
 *
 * @param work is given the span, to say more of it
 * @throws what the work throws; the span says so
 */
export function inClientSpan<Result>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  return inSpan(name, { kind: SpanKind.CLIENT, attributes }, work);
}

/**
 * Runs work in a span of its own. Only within a trace: what a process does for nobody makes none.
 *
 * @param work is given the span, to say more of it
 * @throws what the work throws; the span says so
 */
export async function inSpan<Result>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<Result> | Result,
): Promise<Result> {
  const span = isTraced() ? tracer.startSpan(name, options) : noSpan;
  try {
    return await context.with(trace.setSpan(context.active(), span), () => work(span));
  } catch (error) {
    markFailed(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Marks a span as failed, with the error's name and its message. */
export function markFailed(span: Span, error: unknown): void {
  const { name, message } = error instanceof Error ? error : { name: typeof error, message: String(error) };
  span.setAttribute(names.errorType, name);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/** The same of the span that is active, where there is one: for an error that is answered and not thrown on. */
export function markActiveFailed(error: unknown): void {
  const active = trace.getActiveSpan();
  if (active) markFailed(active, error);
}
