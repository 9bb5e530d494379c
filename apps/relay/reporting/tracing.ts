import { context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { eventId, ingestionRequested } from '@segue/ingestion/event.ts';
import type { OpenRow } from '@segue/outbox/row.ts';
import { traceContextOf } from '@segue/telemetry/origin.ts';
import { names, tracer } from '@segue/telemetry/spans.ts';
import type { Sending } from '../steps/decide.ts';

const messaging = {
  [names.messagingSystem]: 'inngest',
  [names.messagingDestination]: ingestionRequested,
};

/**
 * Sends in spans: one for the batch, and one for each request of it that is traced.
 *
 *     request's trace:  mutation ── create track/ingestion.requested      linked with the batch
 *     batch's trace:    send track/ingestion.requested                    links back; its context goes to Inngest
 *
 * A request's span stands in the trace of its click, so that one trace goes from the click to the sent event, also where
 * the event was made of another request for the recording. A batch has many origins, and is a trace of its own. Where no
 * request of it is sampled, there are no spans at all.
 *
 * @param send notes the outcomes in the sendings that are undecided now
 * @throws what `send` throws; all spans say so
 */
export async function inSendSpans<Result>(sendings: Sending[], send: () => Promise<Result>): Promise<Result> {
  const undecided = sendings.filter(({ outcome }) => outcome.as === 'undecided');
  const traced = undecided.flatMap(sending =>
    [sending.lead, ...sending.others].flatMap(row => sampledOrigin(sending, row)),
  );
  if (traced.length === 0) return await send();

  const batch = startBatchSpan(undecided.length);
  const spans = traced.map(({ sending, origin }) => startEventSpan(sending, origin, batch));
  batch.addLinks(spans.map(span => ({ context: span.spanContext() })));
  try {
    const result = await context.with(trace.setSpan(context.active(), batch), send);
    for (const [index, { sending }] of traced.entries()) tell(spans[index] as Span, sending);
    return result;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    for (const span of [batch, ...spans]) span.setStatus({ code: SpanStatusCode.ERROR, message });
    throw error;
  } finally {
    for (const span of [...spans, batch]) span.end();
  }
}

/** The context of a request's trace, where it is recorded; nothing of a `traceparent` that makes no sense. */
function sampledOrigin(sending: Sending, { traceparent }: OpenRow) {
  const origin = traceContextOf(traceparent);
  const sampled = ((trace.getSpanContext(origin)?.traceFlags ?? 0) & 1) === 1;
  return sampled ? [{ sending, origin }] : [];
}

function startBatchSpan(events: number): Span {
  return tracer.startSpan(`send ${ingestionRequested}`, {
    root: true,
    kind: SpanKind.CLIENT,
    attributes: {
      ...messaging,
      [names.messagingOperation]: 'send',
      [names.messagingOperationType]: 'send',
      [names.messagingBatchSize]: events,
    },
  });
}

function startEventSpan(
  { isrc, generation }: Sending,
  origin: ReturnType<typeof traceContextOf>,
  batch: Span,
): Span {
  const options = {
    kind: SpanKind.PRODUCER,
    attributes: {
      ...messaging,
      [names.messagingOperation]: 'create',
      [names.messagingOperationType]: 'create',
      [names.messagingMessage]: eventId(isrc, generation),
      [names.isrc]: isrc,
    },
    links: [{ context: batch.spanContext() }],
  };
  return tracer.startSpan(`create ${ingestionRequested}`, options, origin);
}

function tell(span: Span, { outcome }: Sending): void {
  // What is undecided is sent again, under the same id.
  span.setAttribute(names.outcome, outcome.as === 'undecided' ? 'unsent' : outcome.as);
  if (outcome.as === 'refused') span.setStatus({ code: SpanStatusCode.ERROR, message: outcome.error });
}
