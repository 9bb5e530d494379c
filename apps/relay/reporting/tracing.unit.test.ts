import { traceHeaders } from '@segue/telemetry/origin.ts';
import { recordSpans } from '@segue/telemetry/test/recordedSpans.ts';
import { expect, test } from 'vitest';
import { inSendSpans, type TracedOutcome } from './tracing.ts';

const recorded = recordSpans();
const traceIdOf = (letter: string) => letter.repeat(32);
const click = (letter: string, flags = '01') => `00-${traceIdOf(letter)}-b7ad6b7169203331-${flags}`;
const event = (isrc: string, traceparent: string | null) => ({
  eventId: `track-ingestion:${isrc}:1`,
  isrc,
  traceparent,
});
const accepted = (): TracedOutcome => ({ as: 'accepted' });
const spanOf = (isrc: string) => {
  const span = recorded.getFinishedSpans().find(({ attributes }) => attributes['segue.isrc'] === isrc);
  if (span === undefined) throw new Error(`no span of ${isrc}`);
  return span;
};
const batchSpan = () => recorded.getFinishedSpans().find(({ name }) => name.startsWith('send '));

test('each event has a span in the trace of its request, and the batch one that is linked with all of them', async () => {
  const events = [event('A', click('a')), event('B', click('b')), event('C', null)];
  expect(await inSendSpans(events, async () => 'sent', accepted)).toBe('sent');

  const batch = batchSpan();
  expect(recorded.getFinishedSpans()).toHaveLength(3);
  for (const [isrc, letter] of [['A', 'a'] as const, ['B', 'b'] as const]) {
    const span = spanOf(isrc);
    expect(span).toMatchObject({
      name: 'create track/ingestion.requested',
      kind: 3,
      parentSpanContext: { traceId: traceIdOf(letter), spanId: 'b7ad6b7169203331' },
      attributes: { 'messaging.message.id': `track-ingestion:${isrc}:1`, 'segue.outcome': 'accepted' },
    });
    expect(span.spanContext().traceId).toBe(traceIdOf(letter));
    expect(span.links.map(link => link.context.spanId)).toEqual([batch?.spanContext().spanId]);
  }
  expect(batch?.attributes['messaging.batch.message_count']).toBe(3);
  expect(batch?.parentSpanContext).toBeUndefined();
  expect(batch?.links.map(link => link.context.spanId)).toEqual([
    spanOf('A').spanContext().spanId,
    spanOf('B').spanContext().spanId,
  ]);
});

test('the call carries the context of the batch', async () => {
  const headers = await inSendSpans([event('A', click('a'))], async () => traceHeaders(), accepted);
  const { traceId, spanId } = batchSpan()?.spanContext() ?? {};
  expect(headers).toEqual({ traceparent: `00-${traceId}-${spanId}-01` });
});

test('no span is made where no request is sampled, or its traceparent makes no sense', async () => {
  const events = [
    event('A', click('a', '00')),
    event('B', "'; --"),
    event('C', '00-0-0-01'),
    event('D', null),
  ];
  expect(await inSendSpans(events, async () => traceHeaders(), accepted)).toEqual({});
  expect(recorded.getFinishedSpans()).toEqual([]);
});

test('a refusal is an error of its event alone', async () => {
  const events = [event('A', click('a')), event('B', click('b'))];
  const outcomes: TracedOutcome[] = [{ as: 'refused', error: 'too large' }, { as: 'unsent' }];
  await inSendSpans(
    events,
    async () => null,
    (_, index) => outcomes[index] as TracedOutcome,
  );
  expect(spanOf('A').status).toEqual({ code: 2, message: 'too large' });
  expect(spanOf('B').status).toEqual({ code: 0 });
  expect(spanOf('B').attributes['segue.outcome']).toBe('unsent');
});

test('a send that throws ends all spans, with its error', async () => {
  const failing = inSendSpans(
    [event('A', click('a'))],
    async () => {
      throw new Error('no way');
    },
    accepted,
  );
  await expect(failing).rejects.toThrow('no way');
  expect(recorded.getFinishedSpans().map(({ status }) => status)).toEqual([
    { code: 2, message: 'no way' },
    { code: 2, message: 'no way' },
  ]);
});
