import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ingestionRequested } from '@segue/ingestion/event.ts';
import { type InngestOptions, startInngest } from '@segue/stand-ins/inngest/server.ts';
import { signatureOf } from '@segue/stand-ins/inngest/signature.ts';
import { startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { startProcess } from '@segue/testing/process.ts';
import { dimensions } from '@segue/track-index/collection.ts';
import { connectToIndex } from '@segue/track-index/connect.ts';
import { hasDocument } from '@segue/track-index/document.ts';
import { countPoints } from '@segue/track-index/scroll.ts';
import { describe, expect, onTestFinished, test } from 'vitest';

let made = 0;
const newIsrc = () => `WORKR${String(++made).padStart(7, '0')}`;

/** An Inngest and a Qdrant, and workers between them. */
async function start(options: InngestOptions = {}) {
  const [inngest, qdrant] = await Promise.all([
    startInngest({ retryDelayMs: () => 50, ...options }),
    startQdrant(),
  ]);
  onTestFinished(async () => void (await Promise.all([inngest.close(), qdrant.close()])));
  const connection = connectToIndex({ url: qdrant.url, collection: 'tracks', timeoutMs: 10_000 });
  const environment = {
    INNGEST_DEV: '1',
    INNGEST_BASE_URL: inngest.url,
    QDRANT_URL: qdrant.url,
    WORKER_PORT: '0',
  };

  async function startWorker(given: Record<string, string> = {}) {
    const worker = await startProcess('apps/worker/main.ts', { ...environment, ...given });
    onTestFinished(async () => void (await worker.stop()));
    return worker;
  }
  async function addressOf(worker: Awaited<ReturnType<typeof startWorker>>) {
    return String((await worker.waitForLog(({ event }) => event === 'process_started')).address);
  }
  async function send(isrc: string, data: object = {}, eventKey = 'any') {
    const recording = {
      isrc,
      title: 'So What',
      artist: 'Miles Davis',
      album: 'Kind of Blue',
      priority: 0,
      force: false,
    };
    const id = `track-ingestion:${isrc}:1`;
    const body = JSON.stringify({ id, name: ingestionRequested, data: { ...recording, ...data } });
    expect((await fetch(`${inngest.url}/e/${eventKey}`, { method: 'POST', body })).status).toBe(200);
  }
  return { inngest, qdrant, connection, environment, startWorker, addressOf, send };
}

test('a worker registers, indexes what is sent, and stops with 0', async () => {
  const { startWorker, addressOf, send, connection, inngest } = await start();
  const worker = await startWorker();
  const address = await addressOf(worker);
  await worker.waitForLog(({ event }) => event === 'functions_registered');
  expect(await (await fetch(`${address}/livez`)).json()).toEqual({ status: 'alive' });
  expect(await (await fetch(`${address}/readyz`)).json()).toMatchObject({
    status: 'ready',
    inngest: 'ok',
    qdrant: 'ok',
  });

  const isrc = newIsrc();
  await send(isrc);
  await worker.waitForLog(({ event, isrc: told }) => event === 'document_indexed' && told === isrc);
  expect(await hasDocument(connection, isrc)).toBe(true);
  await eventually(() => {
    const completed = inngest.events().filter(({ name }) => name === 'track/ingestion.completed');
    expect(completed).toMatchObject([{ data: { isrc, result: { embeddingDimensions: 1_024 } } }]);
  });
  expect(await worker.stop()).toEqual({ code: 0, signal: null });
  expect(worker.output.every(line => line.startsWith('{'))).toBe(true);
});

test.each(['before_upsert', 'after_upsert'])(
  'a worker that is killed %s loses nothing and doubles nothing',
  async at => {
    const { startWorker, send, connection, inngest } = await start({ retryDelayMs: () => 500 });
    const first = await startWorker({ CRASH_AT: at, WORKER_RETRIES: '20' });
    await first.waitForLog(({ event }) => event === 'functions_registered');
    const isrc = newIsrc();
    await send(isrc);
    expect(await first.exited).toMatchObject({ signal: 'SIGKILL' });
    expect(await hasDocument(connection, isrc)).toBe(at === 'after_upsert');

    await startWorker({ WORKER_RETRIES: '20' });
    await eventually(() => expect(inngest.runs()).toMatchObject([{ status: 'Completed' }]), {
      timeoutMs: 30_000,
    });
    expect(await countPoints(connection)).toBe(1);
    expect(inngest.events().filter(({ name }) => name === 'track/ingestion.completed')).toHaveLength(1);
  },
);

test('a worker that is killed between two steps does not repeat the step before, which may have cost money', async () => {
  const { startWorker, send, connection, inngest } = await start({ retryDelayMs: () => 500 });
  const embeddings = await startEmbeddings();
  const embedding = {
    EMBEDDING_PROVIDER: 'openai',
    EMBEDDING_MODEL: 'test',
    EMBEDDING_URL: embeddings.url,
    WORKER_RETRIES: '20',
  };
  const first = await startWorker({ ...embedding, CRASH_AT: 'between_steps' });
  await first.waitForLog(({ event }) => event === 'functions_registered');
  const isrc = newIsrc();
  await send(isrc);
  expect(await first.exited).toMatchObject({ signal: 'SIGKILL' });
  expect(await hasDocument(connection, isrc)).toBe(false);

  const second = await startWorker(embedding);
  await second.waitForLog(({ event }) => event === 'document_indexed');
  await eventually(() => expect(inngest.runs()).toMatchObject([{ status: 'Completed' }]));
  expect(embeddings.asked()).toBe(1);
  expect(await countPoints(connection)).toBe(1);
  expect(inngest.events().filter(({ name }) => name === 'track/ingestion.completed')).toHaveLength(1);
});

test('a run that fails for good is told in the log and by an event', async () => {
  const { startWorker, send, inngest } = await start();
  const embedding = {
    EMBEDDING_PROVIDER: 'tei',
    EMBEDDING_URL: `${inngest.url}/no-embeddings`,
    WORKER_RETRIES: '1',
  };
  const worker = await startWorker(embedding);
  await worker.waitForLog(({ event }) => event === 'functions_registered');
  const isrc = newIsrc();
  await send(isrc);
  const line = await worker.waitForLog(({ event }) => event === 'ingestion_failed');
  expect(line).toMatchObject({
    isrc,
    reason: 'embed-interpretation',
    error: expect.stringContaining('answered 404'),
  });
  expect(worker.logs.filter(({ event }) => event === 'ingestion_attempt_failed')).toHaveLength(2);
  await eventually(() => {
    const failed = inngest.events().filter(({ name }) => name === 'track/ingestion.failed');
    expect(failed).toMatchObject([
      {
        data: {
          isrc,
          failedStep: 'embed-interpretation',
          retries: 1,
          error: expect.any(String),
          runId: expect.any(String),
        },
      },
    ]);
  });
});

test('an Inngest that is away at the start, and one that comes back, get the functions', async () => {
  const { startWorker, addressOf, inngest } = await start();
  inngest.answerWith(() => ({ status: 503, body: 'no' }));
  const worker = await startWorker();
  const address = await addressOf(worker);
  await worker.waitForLog(({ event }) => event === 'inngest_error');
  expect((await fetch(`${address}/readyz`)).status).toBe(503);
  expect((await fetch(`${address}/livez`)).status).toBe(200);
  inngest.answerWith(null);
  await worker.waitForLog(({ event }) => event === 'functions_registered');
  expect(inngest.functions().map(({ id }) => id)).toEqual([
    'segue-worker-track-ingestion',
    'segue-worker-track-ingestion-failure',
  ]);
});

test('an index that is away at the start is waited for; runs go through when it is back', async () => {
  const { startWorker, send, qdrant, connection } = await start();
  qdrant.answerWith(() => ({ status: 503, body: 'no' }));
  const worker = await startWorker({ WORKER_RETRIES: '20' });
  await worker.waitForLog(({ event }) => event === 'functions_registered');
  await worker.waitForLog(({ event }) => event === 'qdrant_error');
  const isrc = newIsrc();
  await send(isrc);
  await worker.waitForLog(({ event }) => event === 'ingestion_attempt_failed');
  qdrant.answerWith(null);
  await worker.waitForLog(({ event }) => event === 'document_indexed');
  expect(await hasDocument(connection, isrc)).toBe(true);
});

test('a worker stops with 0 while Inngest and Qdrant hang', async () => {
  const { startWorker, inngest, qdrant } = await start();
  for (const server of [inngest, qdrant]) server.answerWith(() => ({ status: 503, body: 'no' }));
  const worker = await startWorker();
  await worker.waitForLog(({ event }) => event === 'process_started');
  // Each has a call in hand that it does not answer, for 10 s if it were waited for.
  await Promise.all(
    [inngest, qdrant].map(server => {
      const arrived = Promise.withResolvers<void>();
      server.answerWith(() => {
        arrived.resolve();
        return 'hang';
      });
      return arrived.promise;
    }),
  );
  expect(await worker.stop()).toEqual({ code: 0, signal: null });
});

test('a collection of another shape is refused at the start, with both shapes', async () => {
  const { startWorker, connection } = await start();
  const vectors = { size: 4, distance: 'Dot' as const };
  await connection.call(client => client.createCollection('tracks', { vectors }));
  const worker = await startWorker();
  expect(await worker.exited).toEqual({ code: 1, signal: null });
  expect(worker.output).toHaveLength(1);
  expect(worker.output[0]).toContain(
    'expected interpretation_embedding (1024, Cosine), text_sparse (sparse); found one nameless vector (4, Dot)',
  );
});

test('a configuration error is one line that names the variable, and exit code 1', async () => {
  const worker = await startProcess('apps/worker/main.ts', { INNGEST_DEV: '1' });
  expect(await worker.exited).toEqual({ code: 1, signal: null });
  expect(worker.output).toEqual([expect.stringContaining('QDRANT_URL is not set')]);
});

describe('in cloud mode', () => {
  const signingKey = `signkey-test-${'ab'.repeat(32)}`;
  const keys = { INNGEST_DEV: '0', INNGEST_SIGNING_KEY: signingKey, INNGEST_EVENT_KEY: 'event-key' };

  test('only requests that Inngest has signed run anything', async () => {
    const { startWorker, addressOf, connection } = await start();
    const worker = await startWorker(keys);
    const address = await addressOf(worker);
    const isrc = newIsrc();
    const data = { isrc, title: 'So What', artist: '', album: '', priority: 0, force: false };
    const event = { id: 'x', name: ingestionRequested, data, ts: 1 };
    const ctx = { run_id: 'run', attempt: 0, stack: { stack: [], current: 0 } };
    const body = { ctx, event, events: [event], steps: {}, version: 2 };
    const call = (signature?: string) =>
      fetch(`${address}/api/inngest?fnId=segue-worker-track-ingestion&stepId=step`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(signature && { 'x-inngest-signature': signature }),
        },
        body: JSON.stringify(body),
      });
    const hourAgo = Math.floor(Date.now() / 1_000) - 3_600;
    expect((await call()).status).toBe(401);
    expect((await call(signatureOf(body, 'cd'.repeat(32)))).status).toBe(401);
    expect((await call(signatureOf(body, signingKey, hourAgo))).status).toBe(401);
    expect((await call(signatureOf(body, signingKey))).status).toBe(206);
    expect(await countPoints(connection)).toBe(0);
    expect(worker.output.join('\n')).not.toContain('ab'.repeat(32));
    await worker.stop();
  });

  test('a worker registers with its key, runs what is signed, and registers again with a server that comes back', async () => {
    const { startWorker, addressOf, send, inngest, connection, environment } = await start({
      signingKey,
      eventKey: 'event-key',
    });
    const worker = await startWorker(keys);
    const address = await addressOf(worker);
    await worker.waitForLog(({ event }) => event === 'functions_registered');
    const [before, after] = [newIsrc(), newIsrc()];
    await send(before, {}, 'event-key');
    await worker.waitForLog(({ event, isrc }) => event === 'document_indexed' && isrc === before);

    // It is away for so long that the worker notices, and has no functions when it is back.
    await inngest.close();
    const readiness = async () => (await fetch(`${address}/readyz`)).status;
    await eventually(async () => expect(await readiness()).toBe(503), { timeoutMs: 30_000 });
    const port = Number(new URL(environment.INNGEST_BASE_URL).port);
    const back = await startInngest({ port, signingKey, eventKey: 'event-key' });
    onTestFinished(() => back.close());
    await eventually(() => expect(back.functions()).toHaveLength(2));
    await eventually(async () => expect(await readiness()).toBe(200));
    await send(after, {}, 'event-key');
    await worker.waitForLog(({ event, isrc }) => event === 'document_indexed' && isrc === after);
    expect(await countPoints(connection)).toBe(2);
  });

  test('a worker with another key is not registered, says why, and is not ready', async () => {
    const { startWorker, addressOf, inngest } = await start({ signingKey });
    const worker = await startWorker({ ...keys, INNGEST_SIGNING_KEY: `signkey-test-${'cd'.repeat(32)}` });
    const address = await addressOf(worker);
    const line = await worker.waitForLog(({ event }) => event === 'inngest_error');
    expect(line.error).toContain('Unauthorized');
    expect((await fetch(`${address}/readyz`)).status).toBe(503);
    expect(inngest.functions()).toEqual([]);
  });
});

/** An embedding service that counts how often it is asked. */
async function startEmbeddings() {
  let asked = 0;
  const body = JSON.stringify({ data: [{ index: 0, embedding: Array(dimensions).fill(0.5) }] });
  const service = createServer((request, response) => {
    asked++;
    request.resume();
    response.end(body);
  });
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  onTestFinished(() => {
    service.closeAllConnections();
    service.close();
  });
  return { url: `http://127.0.0.1:${(service.address() as AddressInfo).port}`, asked: () => asked };
}
