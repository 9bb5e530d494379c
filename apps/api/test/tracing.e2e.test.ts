import { startTidal, type TidalStandIn } from '@segue/stand-ins/tidal/server.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { loadedTelemetry, telling } from '@segue/testing/loadedModules.ts';
import { type RunningProcess, startProcess } from '@segue/testing/process.ts';
import { startTraceCollector } from '@segue/testing/traceCollector.ts';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

const database = useDatabase();
let tidal: TidalStandIn;
beforeAll(async () => {
  tidal = await startTidal();
});
afterAll(async () => {
  await tidal.close();
});

const traceId = '0af7651916cd43dd8448eb211c80319c';
const click = 'b7ad6b7169203331';

async function startApi(env: Record<string, string> = {}): Promise<RunningProcess> {
  const api = await startProcess('apps/api/main.ts', {
    DATABASE_URL: database.url,
    API_PORT: '0',
    TIDAL_API_URL: tidal.apiUrl,
    TIDAL_AUTH_URL: tidal.authUrl,
    TIDAL_CLIENT_ID: tidal.clientId,
    TIDAL_CLIENT_SECRET: tidal.clientSecret,
    ...telling,
    ...env,
  });
  onTestFinished(async () => {
    api.kill('SIGKILL');
    await api.exited;
  });
  return api;
}

async function add(api: RunningProcess, tidalTrackId: string, flags = '01') {
  const { address } = await api.waitForLog(line => line.address !== undefined, 40_000);
  const mutation = `mutation Click { addTrackToLibrary(input: {tidalTrackId: "${tidalTrackId}"}) { __typename } }`;
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-${click}-${flags}` },
    body: JSON.stringify({ query: mutation }),
  });
  expect(await response.json()).toEqual({ data: { addTrackToLibrary: { __typename: 'LibraryTrack' } } });
  return response.headers.get('x-request-id');
}

test("without an endpoint no part of the SDK is loaded, and the client's trace is stored as it came", async () => {
  const api = await startApi();
  const requestId = await add(api, '1766030');
  expect(loadedTelemetry(api)).toEqual(['@opentelemetry/api']);
  const [row] = await database.sql`SELECT traceparent FROM ingestion_outbox WHERE request_id = ${requestId}`;
  expect(row).toEqual({ traceparent: `00-${traceId}-${click}-01` });
  const line = await api.waitForLog(({ event }) => event === 'ingestion_requested');
  expect(line).toMatchObject({ requestId, trace_id: traceId });
});

test('a mutation, its statements and its questions to TIDAL are one trace with the click', async () => {
  await database.sql`TRUNCATE library_tracks, ingestion_outbox`;
  const collector = await startTraceCollector();
  const api = await startApi({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  });
  const requestId = await add(api, '1766030');

  const operation = await collector.find(({ name }) => name === 'mutation addTrackToLibrary');
  expect(operation).toMatchObject({
    service: 'segue-api',
    traceId,
    parentSpanId: click,
    kind: 2,
    attributes: {
      'graphql.operation.type': 'mutation',
      'graphql.operation.name': 'Click',
      'http.response.status_code': 200,
      'segue.request_id': requestId,
    },
  });
  const child = { traceId, parentSpanId: operation.spanId, kind: 3 };
  expect(await collector.find(({ name }) => name === 'TIDAL track')).toMatchObject({
    ...child,
    attributes: { 'segue.subject': 'track 1766030', 'http.response.status_code': 200 },
  });
  const statement = await collector.find(({ name }) => name === 'INSERT library_tracks');
  expect(statement).toMatchObject({ ...child, attributes: { 'db.system.name': 'postgresql' } });
  expect(statement.attributes['db.query.text']).toContain('INSERT INTO ingestion_outbox');

  const [row] = await database.sql`SELECT traceparent FROM ingestion_outbox WHERE request_id = ${requestId}`;
  expect(row).toEqual({ traceparent: `00-${traceId}-${operation.spanId}-01` });
  const line = await api.waitForLog(({ event }) => event === 'ingestion_requested');
  expect(line).toMatchObject({ requestId, trace_id: traceId });
  expect(loadedTelemetry(api)).toContain('@opentelemetry/sdk-trace-node');
});

test('a click that is not sampled makes no span, and its trace is stored all the same', async () => {
  await database.sql`TRUNCATE library_tracks, ingestion_outbox`;
  const collector = await startTraceCollector();
  const api = await startApi({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint });
  await add(api, '1766030', '00');
  const [row] = await database.sql`SELECT traceparent FROM ingestion_outbox`;
  expect(row?.traceparent).toMatch(new RegExp(`^00-${traceId}-[\\da-f]{16}-00$`));
  await api.stop();
  expect(collector.spans).toEqual([]);
});

test('a collector that is away is said once, and keeps nothing from its end', async () => {
  await database.sql`TRUNCATE library_tracks, ingestion_outbox`;
  const api = await startApi({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    OTEL_BSP_SCHEDULE_DELAY: '20',
  });
  await add(api, '1766030');
  await api.waitForLog(({ event }) => event === 'traces_lost', 30_000);
  expect(await api.stop()).toEqual({ code: 0, signal: null });
  expect(api.logs.filter(({ event }) => event === 'traces_lost')).toHaveLength(1);
});
