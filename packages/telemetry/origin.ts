import { AsyncLocalStorage } from 'node:async_hooks';
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { noOrigin, type RequestOrigin } from '@segue/ingestion/origin.ts';

const origins = new AsyncLocalStorage<RequestOrigin>();

/**
 * Runs work that a request has caused: its log lines carry the request's id, so do the outbox rows that it writes, and
 * its spans belong to the request's trace.
 */
export function causedBy<Result>(origin: RequestOrigin, work: () => Result): Result {
  return origins.run(origin, () => context.with(traceContextOf(origin.traceparent), work));
}

/** The context that a `traceparent` names; none for one that is missing or makes no sense, or without an exporter. */
export function traceContextOf(traceparent: string | null) {
  return traceparent === null ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, { traceparent });
}

/** The request that caused what is running now, with the trace context of the span that is active. */
export function currentOrigin(): RequestOrigin {
  const origin = origins.getStore() ?? noOrigin;
  const { traceparent } = traceHeaders();
  return traceparent === undefined ? origin : { ...origin, traceparent };
}

/** The headers that hand the active trace on; none without an exporter. */
export function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  return headers;
}

/** The fields of the log that name the request and the trace, always in a new object. */
export function originFields(): { requestId?: string; trace_id?: string } {
  const origin = origins.getStore() ?? noOrigin;
  const traceId = trace.getSpanContext(context.active())?.traceId;
  return traceId === undefined ? fieldsOf(origin) : { ...fieldsOf(origin), trace_id: traceId };
}

/** The same of an outbox row. */
export function fieldsOf({ requestId, traceparent }: RequestOrigin): {
  requestId?: string;
  trace_id?: string;
} {
  const traceId = traceparent === null ? undefined : traceIdIn.exec(traceparent)?.[1];
  return { ...(requestId !== null && { requestId }), ...(traceId !== undefined && { trace_id: traceId }) };
}

const traceIdIn = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}(?:-|$)/;
