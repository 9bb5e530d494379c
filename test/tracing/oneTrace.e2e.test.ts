import { newIsrc, useRelayProcesses } from '@segue/relay/test/relayProcess.ts';
import { startTidal } from '@segue/stand-ins/tidal/server.ts';
import { loadedTelemetry, telling } from '@segue/testing/loadedModules.ts';
import { startProcess } from '@segue/testing/process.ts';
import { startTraceCollector } from '@segue/testing/traceCollector.ts';
import { expect, onTestFinished, test } from 'vitest';

const here = useRelayProcesses();

const traceId = '0af7651916cd43dd8448eb211c80319c';
const click = 'b7ad6b7169203331';

async function startApi(endpoint: string): Promise<string> {
  const tidal = await startTidal();
  const api = await startProcess('apps/api/main.ts', {
    DATABASE_URL: here.url,
    API_PORT: '0',
    TIDAL_API_URL: tidal.apiUrl,
    TIDAL_AUTH_URL: tidal.authUrl,
    TIDAL_CLIENT_ID: tidal.clientId,
    TIDAL_CLIENT_SECRET: tidal.clientSecret,
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  });
  onTestFinished(async () => {
    api.kill('SIGKILL');
    await api.exited;
    await tidal.close();
  });
  const { address } = await api.waitForLog(line => line.address !== undefined, 40_000);
  return String(address);
}

async function add(api: string, tidalTrackId: string): Promise<string> {
  const mutation = `mutation { addTrackToLibrary(input: {tidalTrackId: "${tidalTrackId}"}) { ... on LibraryTrack { isrc } } }`;
  const response = await fetch(`${api}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-${click}-01` },
    body: JSON.stringify({ query: mutation }),
  });
  const { data } = (await response.json()) as { data: { addTrackToLibrary: { isrc: string } } };
  return data.addTrackToLibrary.isrc;
}

test('one trace goes from the click to the sent event, though the relay died in between', async () => {
  const collector = await startTraceCollector();
  const exporting = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_BSP_SCHEDULE_DELAY: '50' };
  const isrc = await add(await startApi(collector.endpoint), '1766030');
  const first = await here.start({ ...exporting, RELAY_LEASE_MS: '1000', CRASH_AT: 'after_index_check:1' });
  expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' });
  const headers: unknown[] = [];
  here.inngest.answerWith(request => {
    headers.push(request.headers.traceparent);
    return undefined;
  });
  const second = await here.start({ ...exporting, RELAY_LEASE_MS: '1000' });
  expect(await here.drained()).toEqual({ scheduled: 1 });

  const mutation = await collector.find(({ name }) => name === 'mutation addTrackToLibrary');
  expect(mutation).toMatchObject({ service: 'segue-api', traceId, parentSpanId: click });
  const sent = await collector.find(({ name }) => name === 'create track/ingestion.requested');
  expect(sent).toMatchObject({
    service: 'segue-relay',
    traceId,
    parentSpanId: mutation.spanId,
    kind: 4,
    attributes: { 'messaging.message.id': `track-ingestion:${isrc}:1`, 'segue.outcome': 'sent' },
  });
  const sending = await collector.find(({ name }) => name === 'send track/ingestion.requested');
  expect(sent.links).toMatchObject([{ traceId: sending.traceId, spanId: sending.spanId }]);
  expect(sending.links).toMatchObject([{ traceId, spanId: sent.spanId }]);
  expect(headers).toEqual([`00-${sending.traceId}-${sending.spanId}-01`]);

  const batch = await collector.find(({ spanId }) => spanId === sending.parentSpanId);
  expect(batch).toMatchObject({ name: 'relay batch', links: [{ traceId, spanId: mutation.spanId }] });
  const ofBatch = { traceId: batch.traceId, parentSpanId: batch.spanId, kind: 3 };
  for (const made of ['SELECT ingestion_outbox', 'qdrant retrieve', 'UPDATE ingestion_outbox']) {
    expect(
      await collector.find(({ name, parentSpanId }) => name === made && parentSpanId === batch.spanId),
    ).toMatchObject(ofBatch);
  }

  const [row] = await here.sql`SELECT request_id FROM ingestion_outbox WHERE isrc = ${isrc}`;
  const line = await second.waitForLog(({ event }) => event === 'ingestion_scheduled');
  expect(line).toMatchObject({ isrc, requestId: row?.request_id, trace_id: traceId });
});

test('without an endpoint the relay loads no part of the SDK', async () => {
  await here.add([{ isrc: newIsrc(), traceparent: `00-${traceId}-${click}-01` }]);
  const relay = await here.start(telling);
  expect(await here.drained()).toEqual({ scheduled: 1 });
  await relay.stop();
  expect(loadedTelemetry(relay)).toEqual(['@opentelemetry/api']);
});

test('a traceparent that makes no sense holds up nothing, and is no span', async () => {
  const collector = await startTraceCollector();
  const isrc = newIsrc();
  await here.add([{ isrc, traceparent: "'; DROP TABLE spans; --" }]);
  const relay = await here.start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint });
  expect(await here.drained()).toEqual({ scheduled: 1 });
  await relay.stop();
  expect(collector.spans).toEqual([]);
});
