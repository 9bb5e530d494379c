import { traceHeaders } from '@segue/telemetry/origin.ts';
import { recordSpans } from '@segue/telemetry/test/recordedSpans.ts';
import { expect, test } from 'vitest';
import type { Sending } from '../steps/decide.ts';
import { openRow, sendingOf } from '../test/rows.ts';
import { inSendSpans } from './tracing.ts';

const recorded = recordSpans();
const click = (letter: string, flags = '01') => `00-${letter.repeat(32)}-b7ad6b7169203331-${flags}`;
const sending = (traceparent: string | null) => sendingOf(openRow({ traceparent }));
const batchSpan = () => recorded.getFinishedSpans().find(({ name }) => name.startsWith('send '));
const eventSpans = () => recorded.getFinishedSpans().filter(({ name }) => name.startsWith('create '));

/** Decides on all of them, as a send does. */
const decideOn = (sendings: Sending[], outcome: Sending['outcome']) => async () => {
  for (const each of sendings) each.outcome = outcome;
};

test('each request has a span in the trace of its click, linked with the span of the batch', async () => {
  const first = sending(click('a'));
  first.others.push(openRow({ isrc: first.lead.isrc, traceparent: click('b') }));
  const sendings = [first, sending(null)];
  await inSendSpans(sendings, decideOn(sendings, { as: 'sent' }));

  const batch = batchSpan();
  const eventId = `track-ingestion:${first.isrc}:1`;
  expect(
    eventSpans().map(({ kind, parentSpanContext, attributes }) => ({ kind, parentSpanContext, attributes })),
  ).toMatchObject(
    ['a', 'b'].map(letter => ({
      kind: 3,
      parentSpanContext: { traceId: letter.repeat(32), spanId: 'b7ad6b7169203331' },
      attributes: { 'messaging.message.id': eventId, 'segue.isrc': first.isrc, 'segue.outcome': 'sent' },
    })),
  );
  for (const span of eventSpans()) {
    expect(span.links.map(link => link.context.spanId)).toEqual([batch?.spanContext().spanId]);
  }
  expect(batch).toMatchObject({ kind: 2, attributes: { 'messaging.batch.message_count': 2 } });
  expect(batch?.parentSpanContext).toBeUndefined();
  expect(batch?.links.map(link => link.context.spanId)).toEqual(
    eventSpans().map(span => span.spanContext().spanId),
  );
});

test('the call carries the context of the batch', async () => {
  const headers = await inSendSpans([sending(click('a'))], async () => traceHeaders());
  const { traceId, spanId } = batchSpan()?.spanContext() ?? {};
  expect(headers).toEqual({ traceparent: `00-${traceId}-${spanId}-01` });
});

test('no span is made where no request is sampled, or its traceparent makes no sense', async () => {
  const sendings = [click('a', '00'), "'; --", '00-0-0-01', null].map(sending);
  expect(await inSendSpans(sendings, async () => traceHeaders())).toEqual({});
  expect(recorded.getFinishedSpans()).toEqual([]);
});

test('a recording that is in the index already makes no span', async () => {
  const indexed = sending(click('a'));
  indexed.outcome = { as: 'indexed' };
  await inSendSpans([indexed], async () => undefined);
  expect(recorded.getFinishedSpans()).toEqual([]);
});

test('a refusal is an error of its request alone; what was not sent is none', async () => {
  const refused = sending(click('a'));
  const unsent = sending(click('b'));
  await inSendSpans([refused, unsent], decideOn([refused], { as: 'refused', error: 'too large' }));
  expect(eventSpans().map(({ status, attributes }) => [status, attributes['segue.outcome']])).toEqual([
    [{ code: 2, message: 'too large' }, 'refused'],
    [{ code: 0 }, 'unsent'],
  ]);
});

test('a send that throws ends all spans, with its error', async () => {
  const failing = inSendSpans([sending(click('a'))], async () => {
    throw new Error('no way');
  });
  await expect(failing).rejects.toThrow('no way');
  const status = { code: 2, message: 'no way' };
  expect(recorded.getFinishedSpans().map(span => span.status)).toEqual([status, status]);
});
