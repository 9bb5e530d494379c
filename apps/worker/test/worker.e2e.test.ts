import { createHmac } from 'node:crypto';
import { ingestionRequested } from '@segue/ingestion/event.ts';
import { type InngestOptions, startInngest } from '@segue/stand-ins/inngest/server.ts';
import { startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { startProcess } from '@segue/testing/process.ts';
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
  async function send(isrc: string, data: object = {}) {
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
    expect((await fetch(`${inngest.url}/e/any`, { method: 'POST', body })).status).toBe(200);
  }
  return { inngest, qdrant, connection, environment, startWorker, addressOf, send };
}

test('a worker registers, indexes what is sent, and stops with 0', async () => {
  const { startWorker, addressOf, send, connection, inngest } = await start();
  const worker = await startWorker();
  const address = await addressOf(worker);
  await worker.waitForLog(({ event }) => event === 'functions_registered');
  expect(await (await fetch(`${address}/livez`)).json()).toEqual({ status: 'alive' });
  expect(await (await fetch(`${address}/readyz`)).json()).toEqual({
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

  test('only requests that Inngest has signed run anything', async () => {
    const { startWorker, addressOf, connection } = await start();
    const keys = { INNGEST_DEV: '0', INNGEST_SIGNING_KEY: signingKey, INNGEST_EVENT_KEY: 'event-key' };
    const worker = await startWorker(keys);
    const address = await addressOf(worker);
    const isrc = newIsrc();
    const data = { isrc, title: 'So What', artist: '', album: '', priority: 0, force: false };
    const event = { id: 'x', name: ingestionRequested, data, ts: 1 };
    const ctx = { run_id: 'run', attempt: 0, stack: { stack: [], current: 0 } };
    // With sorted keys and no white space, as RFC 8785 has it.
    const body = sorted({ ctx, event, events: [event], steps: {}, version: 2 });
    const call = (signature?: string) =>
      fetch(`${address}/api/inngest?fnId=segue-worker-track-ingestion&stepId=step`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(signature && { 'x-inngest-signature': signature }),
        },
        body,
      });
    const seconds = Math.floor(Date.now() / 1_000);
    const signatureAt = (t: number, key = 'ab'.repeat(32)) => {
      const mac = createHmac('sha256', key).update(`${body}${t}`).digest('hex');
      return `t=${t}&s=${mac}`;
    };
    expect((await call()).status).toBe(401);
    expect((await call(signatureAt(seconds, 'cd'.repeat(32)))).status).toBe(401);
    expect((await call(signatureAt(seconds - 3_600))).status).toBe(401);
    expect((await call(signatureAt(seconds))).status).toBe(206);
    expect(await countPoints(connection)).toBe(0);
    expect(worker.output.join('\n')).not.toContain('ab'.repeat(32));
    await worker.stop();
  });
});

function sorted(value: object): string {
  return JSON.stringify(value, (_key, part) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}
