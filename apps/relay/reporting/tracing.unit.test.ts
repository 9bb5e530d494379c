import { traceHeaders } from '@segue/telemetry/origin.ts';
import { recordSpans } from '@segue/telemetry/test/recordedSpans.ts';
import { expect, test } from 'vitest';
import type { Sending } from '../steps/decide.ts';
import { openRow, sendingOf } from '../test/rows.ts';
import { inBatchSpan, inSendSpans } from './tracing.ts';

const recorded = recordSpans();
const click = (letter: string, flags = '01') => `00-${letter.repeat(32)}-b7ad6b7169203331-${flags}`;
const sending = (traceparent: string | null) => sendingOf(openRow({ traceparent }));
const spansOf = (start: string) => recorded.getFinishedSpans().filter(({ name }) => name.startsWith(start));
const batchSpan = () => spansOf('relay batch')[0];
const sendSpan = () => spansOf('send ')[0];
const eventSpans = () => spansOf('create ');

/** Sends in a batch of these requests alone. The read of the batch took 5 ms. */
function sendInBatch(sendings: Sending[], send: () => Promise<{ outage?: { error: string } }>) {
  const rows = sendings.flatMap(({ lead, others }) => [lead, ...others]);
  return inBatchSpan(rows, 5, () => inSendSpans(sendings, send));
}

/** Decides on all of them, as a send does. */
const decideOn = (sendings: Sending[], outcome: Sending['outcome']) => async () => {
  for (const each of sendings) each.outcome = outcome;
  return {};
};

test('each request has a span in the trace of its click, linked with the span of the sending', async () => {
  const first = sending(click('a'));
  first.others.push(openRow({ isrc: first.lead.isrc, traceparent: click('b') }));
  const sendings = [first, sending(null)];
  await sendInBatch(sendings, decideOn(sendings, { as: 'sent' }));

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
    expect(span.links.map(link => link.context.spanId)).toEqual([sendSpan()?.spanContext().spanId]);
  }
  expect(sendSpan()).toMatchObject({ kind: 2, attributes: { 'messaging.batch.message_count': 2 } });
  expect(sendSpan()?.links.map(link => link.context.spanId)).toEqual(
    eventSpans().map(span => span.spanContext().spanId),
  );
});

test('the span of a batch is a trace of its own, linked with the clicks, with the read and the sending in it', async () => {
  const sendings = [sending(click('a')), sending(null)];
  await sendInBatch(sendings, decideOn(sendings, { as: 'sent' }));

  const batch = batchSpan();
  expect(batch?.parentSpanContext).toBeUndefined();
  expect(batch?.links.map(link => link.context.traceId)).toEqual(['a'.repeat(32)]);
  expect(batch?.attributes).toEqual({ 'messaging.batch.message_count': 2 });
  const [read] = spansOf('SELECT ingestion_outbox');
  expect(read?.startTime).toEqual(batch?.startTime);
  expect(read?.duration[1]).toBeGreaterThanOrEqual(5_000_000);
  for (const span of [read, sendSpan()]) expect(span?.parentSpanContext).toEqual(batch?.spanContext());
});

test('the call carries the context of the sending', async () => {
  let headers = {};
  await sendInBatch([sending(click('a'))], async () => {
    headers = traceHeaders();
    return {};
  });
  const { traceId, spanId } = sendSpan()?.spanContext() ?? {};
  expect(headers).toEqual({ traceparent: `00-${traceId}-${spanId}-01` });
});

test('no span is made where no request is sampled, or its traceparent makes no sense', async () => {
  const sendings = [click('a', '00'), "'; --", '00-0-0-01', null].map(sending);
  let headers: unknown;
  await sendInBatch(sendings, async () => {
    headers = traceHeaders();
    return {};
  });
  expect(headers).toEqual({});
  expect(recorded.getFinishedSpans()).toEqual([]);
});

test('a batch of which all is in the index has no span of a sending', async () => {
  const indexed = sending(click('a'));
  indexed.outcome = { as: 'indexed' };
  await sendInBatch([indexed], async () => ({}));
  expect(batchSpan()).toBeDefined();
  expect([sendSpan(), ...eventSpans()]).toEqual([undefined]);
});

test('a refusal is an error of its request alone; what was not sent is none', async () => {
  const refused = sending(click('a'));
  const unsent = sending(click('b'));
  await sendInBatch([refused, unsent], decideOn([refused], { as: 'refused', error: 'too large' }));
  expect(eventSpans().map(({ status, attributes }) => [status, attributes['segue.outcome']])).toEqual([
    [{ code: 2, message: 'too large' }, 'refused'],
    [{ code: 0 }, 'unsent'],
  ]);
  expect(sendSpan()?.status).toEqual({ code: 0 });
});

test('an outage is an error of the sending', async () => {
  await sendInBatch([sending(click('a'))], async () => ({ outage: { error: '503: no' } }));
  expect(sendSpan()?.status).toEqual({ code: 2, message: '503: no' });
});

test('a send that throws ends all spans but that of the read with its error', async () => {
  const failing = sendInBatch([sending(click('a'))], async () => {
    throw new Error('no way');
  });
  await expect(failing).rejects.toThrow('no way');
  expect(recorded.getFinishedSpans().map(({ name, status }) => [name.split(' ')[0], status.message])).toEqual(
    [
      ['SELECT', undefined],
      ['create', 'no way'],
      ['send', 'no way'],
      ['relay', 'no way'],
    ],
  );
});
