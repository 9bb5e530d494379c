import {
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { eventId, ingestionRequested } from '@segue/ingestion/event.ts';
import type { OpenRow } from '@segue/outbox/row.ts';
import { traceContextOf } from '@segue/telemetry/origin.ts';
import { isTraced, markFailed, names, tracer } from '@segue/telemetry/spans.ts';
import type { Sending } from '../steps/decide.ts';

const messaging = {
  [names.messagingSystem]: 'inngest',
  [names.messagingDestination]: ingestionRequested,
};

/** Spans have so many links at the most, by the SDK. */
const mostLinks = 128;

/**
 * Runs a batch in a span, where one of its requests is sampled, and otherwise without any.
 *
 *     request's trace:  mutation ── create track/ingestion.requested      linked with the sending
 *     batch's trace:    relay batch ┬─ SELECT ingestion_outbox            the read, which is over
 *                                   ├─ qdrant retrieve
 *                                   ├─ send track/ingestion.requested     links back; its context goes to Inngest
 *                                   └─ statements of the settlement
 *
 * A request's span stands in the trace of its click, so that one trace goes from the click to the sent event, also where
 * the event was made of another request for the recording. A batch has many origins, and is a trace of its own.
 *
 * @param readMs how long the read took that is over now
 * @throws what `work` throws; the span says so
 */
export async function inBatchSpan<Result>(
  rows: OpenRow[],
  readMs: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const origins = rows.flatMap(sampledOrigin);
  if (origins.length === 0) return await work();

  const startTime = now() - readMs;
  const batch = tracer.startSpan('relay batch', {
    root: true,
    startTime,
    attributes: { [names.messagingBatchSize]: rows.length },
    links: origins.slice(0, mostLinks).map(origin => ({ context: contextIn(origin) })),
  });
  const active = trace.setSpan(context.active(), batch);
  const read = {
    kind: SpanKind.CLIENT,
    startTime,
    attributes: { [names.databaseSystem]: 'postgresql' },
  };
  tracer.startSpan('SELECT ingestion_outbox', read, active).end(now());
  try {
    return await context.with(active, work);
  } catch (error) {
    markFailed(batch, error);
    throw error;
  } finally {
    batch.end(now());
  }
}

/**
 * Sends in spans: one for the sending, and one for each sampled request of it, as {@link inBatchSpan} draws them.
 *
 * @param send notes the outcomes in the sendings that are undecided now
 * @throws what `send` throws; all spans say so
 */
export async function inSendSpans<Result extends { outage?: { error: string } }>(
  sendings: Sending[],
  send: () => Promise<Result>,
): Promise<Result> {
  const undecided = isTraced() ? sendings.filter(({ outcome }) => outcome.as === 'undecided') : [];
  if (undecided.length === 0) return await send();

  const traced = undecided.flatMap(sending =>
    [sending.lead, ...sending.others].flatMap(sampledOrigin).map(origin => ({ sending, origin })),
  );
  const sending = startSendSpan(undecided.length);
  const spans = traced.map(({ sending: of, origin }) => startEventSpan(of, origin, sending));
  sending.addLinks(spans.slice(0, mostLinks).map(span => ({ context: span.spanContext() })));
  try {
    const result = await context.with(trace.setSpan(context.active(), sending), send);
    for (const [index, { sending: of }] of traced.entries()) tell(spans[index] as Span, of);
    if (result.outage) sending.setStatus({ code: SpanStatusCode.ERROR, message: result.outage.error });
    return result;
  } catch (error) {
    for (const span of [sending, ...spans]) markFailed(span, error);
    throw error;
  } finally {
    for (const span of [...spans, sending]) span.end();
  }
}

/** In ms since 1970, with their fractions. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

/** The context of a request's trace, where it is recorded; nothing of a `traceparent` that makes no sense. */
function sampledOrigin({ traceparent }: OpenRow): Context[] {
  if (traceparent === null) return [];
  const origin = traceContextOf(traceparent);
  return (contextIn(origin).traceFlags & 1) === 1 ? [origin] : [];
}

function contextIn(origin: Context): SpanContext {
  return trace.getSpanContext(origin) ?? INVALID_SPAN_CONTEXT;
}

function startSendSpan(events: number): Span {
  return tracer.startSpan(`send ${ingestionRequested}`, {
    kind: SpanKind.CLIENT,
    attributes: {
      ...messaging,
      [names.messagingOperation]: 'send',
      [names.messagingOperationType]: 'send',
      [names.messagingBatchSize]: events,
    },
  });
}

function startEventSpan({ isrc, generation }: Sending, origin: Context, sending: Span): Span {
  const options = {
    kind: SpanKind.PRODUCER,
    attributes: {
      ...messaging,
      [names.messagingOperation]: 'create',
      [names.messagingOperationType]: 'create',
      [names.messagingMessage]: eventId(isrc, generation),
      [names.isrc]: isrc,
    },
    links: [{ context: sending.spanContext() }],
  };
  return tracer.startSpan(`create ${ingestionRequested}`, options, origin);
}

function tell(span: Span, { outcome }: Sending): void {
  // What is undecided is sent again, under the same id.
  span.setAttribute(names.outcome, outcome.as === 'undecided' ? 'unsent' : outcome.as);
  if (outcome.as === 'refused') span.setStatus({ code: SpanStatusCode.ERROR, message: outcome.error });
}
