import { ingestionRequested } from '@segue/ingestion/event.ts';
import { startInngest } from '@segue/stand-ins/inngest/server.ts';
import { startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import { loadedTelemetry, telling } from '@segue/testing/loadedModules.ts';
import { startProcess } from '@segue/testing/process.ts';
import { startTraceCollector } from '@segue/testing/traceCollector.ts';
import { expect, onTestFinished, test } from 'vitest';

const isrc = 'USSM15900113';

/** A worker that has indexed one recording. */
async function indexOne(given: Record<string, string> = {}) {
  const [inngest, qdrant] = await Promise.all([startInngest(), startQdrant()]);
  onTestFinished(async () => void (await Promise.all([inngest.close(), qdrant.close()])));
  const worker = await startProcess('apps/worker/main.ts', {
    INNGEST_DEV: '1',
    INNGEST_BASE_URL: inngest.url,
    QDRANT_URL: qdrant.url,
    WORKER_PORT: '0',
    ...given,
  });
  onTestFinished(async () => void (await worker.stop()));
  await worker.waitForLog(({ event }) => event === 'functions_registered');
  const data = { isrc, title: 'So What', artist: 'Miles Davis', album: 'Kind of Blue' };
  const body = JSON.stringify({ id: `track-ingestion:${isrc}:1`, name: ingestionRequested, data });
  await fetch(`${inngest.url}/e/any`, { method: 'POST', body });
  return { worker, line: await worker.waitForLog(({ event }) => event === 'document_indexed') };
}

test('a run is one trace: its steps, and what they ask of Qdrant and Inngest', async () => {
  const collector = await startTraceCollector();
  const { line } = await indexOne({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  });

  const step = await collector.find(({ name }) => name === 'step store-document');
  const { traceId } = step;
  expect(step).toMatchObject({
    service: 'segue-worker',
    attributes: { 'segue.isrc': isrc, 'messaging.message.id': `track-ingestion:${isrc}:1` },
  });
  expect(line).toMatchObject({ trace_id: traceId });
  expect(await collector.find(({ name }) => name === 'qdrant upsert')).toMatchObject({
    traceId,
    parentSpanId: step.spanId,
    kind: 3,
    attributes: { 'db.system.name': 'qdrant', 'db.collection.name': 'tracks' },
  });
  expect(await collector.find(({ name }) => name === `process ${ingestionRequested}`)).toMatchObject({
    traceId,
    kind: 5,
    attributes: { 'messaging.system': 'inngest', 'messaging.operation.name': 'process' },
  });
  expect(await collector.find(({ name }) => name === 'inngest request')).toMatchObject({ traceId, kind: 3 });
});

test('without an endpoint no part of the SDK is loaded', async () => {
  const { worker } = await indexOne(telling);
  expect(loadedTelemetry(worker)).toEqual(['@opentelemetry/api']);
});
