import { context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { ingestionRequested } from '@segue/ingestion/event.ts';
import { traceContextOf } from '@segue/telemetry/origin.ts';
import { names, tracer } from '@segue/telemetry/spans.ts';

/** One event that is to be sent, as far as its span tells of it. */
export type TracedEvent = {
  eventId: string;
  isrc: string;
  /** Of the request that it answers, as the outbox has it. */
  traceparent: string | null;
};

/** What became of an event: `unsent` is tried again later. */
export type TracedOutcome = { as: 'accepted' | 'unsent' } | { as: 'refused'; error: string };

const messaging = {
  [names.messagingSystem]: 'inngest',
  [names.messagingDestination]: ingestionRequested,
};

/**
 * Sends events in spans: one for the batch, and one for each event whose request is traced.
 *
 *     request's trace:  mutation ── create track/ingestion.requested      one an event, linked with the batch
 *     batch's trace:    send track/ingestion.requested                    links back; its context goes to Inngest
 *
 * The event's span stands in the trace of its request, so that one trace goes from the click to the sent event. A batch has
 * many origins, and is a trace of its own. Where no request of it is sampled, there are no spans at all.
 *
 * @param outcomeOf asked for each event once `send` has ended
 * @throws what `send` throws; all spans say so
 */
export async function inSendSpans<Event extends TracedEvent, Result>(
  events: Event[],
  send: () => Promise<Result>,
  outcomeOf: (event: Event, index: number) => TracedOutcome,
): Promise<Result> {
  const traced = events.flatMap((event, index) => {
    const parent = traceContextOf(event.traceparent);
    const origin = trace.getSpanContext(parent);
    return origin !== undefined && (origin.traceFlags & 1) === 1 ? [{ event, index, parent }] : [];
  });
  if (traced.length === 0) return await send();

  const batch = tracer.startSpan(`send ${ingestionRequested}`, {
    root: true,
    kind: SpanKind.CLIENT,
    attributes: {
      ...messaging,
      [names.messagingOperation]: 'send',
      [names.messagingOperationType]: 'send',
      [names.messagingBatchSize]: events.length,
    },
  });
  const spans = traced.map(({ event, parent }) =>
    tracer.startSpan(
      `create ${ingestionRequested}`,
      {
        kind: SpanKind.PRODUCER,
        attributes: {
          ...messaging,
          [names.messagingOperation]: 'create',
          [names.messagingOperationType]: 'create',
          [names.messagingMessage]: event.eventId,
          [names.isrc]: event.isrc,
        },
        links: [{ context: batch.spanContext() }],
      },
      parent,
    ),
  );
  batch.addLinks(spans.map(span => ({ context: span.spanContext() })));
  try {
    const result = await context.with(trace.setSpan(context.active(), batch), send);
    for (const [place, { event, index }] of traced.entries()) {
      tell(spans[place] as Span, outcomeOf(event, index));
    }
    return result;
  } catch (error) {
    const status = {
      code: SpanStatusCode.ERROR,
      message: error instanceof Error ? error.message : String(error),
    };
    for (const span of [batch, ...spans]) span.setStatus(status);
    throw error;
  } finally {
    for (const span of [...spans, batch]) span.end();
  }
}

function tell(span: Span, outcome: TracedOutcome): void {
  span.setAttribute(names.outcome, outcome.as);
  if (outcome.as === 'refused') span.setStatus({ code: SpanStatusCode.ERROR, message: outcome.error });
}
