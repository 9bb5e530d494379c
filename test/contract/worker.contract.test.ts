import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventId, ingestionRequested } from '@segue/ingestion/event.ts';
import { startInngest } from '@segue/stand-ins/inngest/server.ts';
import { startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { type LogLine, type RunningProcess, startProcess } from '@segue/testing/process.ts';
import { dimensions } from '@segue/track-index/collection.ts';
import { type Connection, connectToIndex } from '@segue/track-index/connect.ts';
import { readDocument } from '@segue/track-index/document.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addressOf, inngest, qdrant } from '../containers/servers.ts';

/** A real server waits 15 to 45 s before a second attempt, unless it is started with `--retry-interval 1`. */
const patience = { timeoutMs: 120_000 };

type Started = { url: string; stop(): Promise<unknown> };

async function startStandIn(): Promise<Started> {
  // A worker needs a second or two to start again, and each attempt until then counts.
  const { url, close } = await startInngest({ retryDelayMs: failures => 500 * failures });
  return { url, stop: close };
}

/** One that runs already, and reaches us on loopback. */
async function useRunning(): Promise<Started> {
  return { url: addressOf(inngest) as string, stop: async () => undefined };
}

const servers = [
  ['our stand-in', startStandIn, true],
  [inngest.image, useRunning, addressOf(inngest) !== undefined],
] as const;

describe.each(servers.filter(([, , there]) => there))('the worker and %s', (_name, start) => {
  let server: Started;
  let index: { connection: Connection; environment: Record<string, string>; stop(): Promise<unknown> };
  let embeddings: Awaited<ReturnType<typeof startEmbeddings>>;
  let worker: RunningProcess;

  beforeAll(async () => {
    server = await start();
    index = await startIndex();
    embeddings = await startEmbeddings();
    worker = await startWorker();
  });
  afterAll(async () => {
    await worker?.stop();
    await Promise.all([server?.stop(), index?.stop(), embeddings?.stop()]);
  });

  async function startWorker(): Promise<RunningProcess> {
    const started = await startProcess('apps/worker/main.ts', {
      INNGEST_DEV: '1',
      INNGEST_BASE_URL: server.url,
      ...index.environment,
      EMBEDDING_PROVIDER: 'openai',
      EMBEDDING_MODEL: 'contract',
      EMBEDDING_URL: embeddings.url,
      WORKER_PORT: '0',
      WORKER_CONCURRENCY: '1',
      WORKER_THROTTLE_PER_MINUTE: '0',
      WORKER_RETRIES: '8',
    });
    await started.waitForLog(({ event }) => event === 'functions_registered');
    return started;
  }

  async function send(event: object): Promise<string> {
    const response = await fetch(`${server.url}/e/any`, { method: 'POST', body: JSON.stringify(event) });
    expect(response.status).toBe(200);
    const { ids } = (await response.json()) as { ids: [string] };
    return ids[0];
  }
  async function eventsOf(name: string, isrc: string) {
    const response = await fetch(`${server.url}/v1/events?${new URLSearchParams({ name, limit: '50' })}`);
    const { data } = (await response.json()) as { data: { data: Record<string, unknown> }[] };
    return data.map(event => event.data).filter(data => data.isrc === isrc);
  }
  async function runsOf(id: string): Promise<{ status: string }[]> {
    const response = await fetch(`${server.url}/v1/events/${id}/runs`);
    return ((await response.json()) as { data: { status: string }[] }).data;
  }
  const told = (event: string, isrc: string) =>
    worker.logs.filter((line: LogLine) => line.event === event && line.isrc === isrc);
  const untilTold = (event: string, isrc: string, times = 1) =>
    eventually(() => expect(told(event, isrc)).toHaveLength(times), patience);

  test('a run goes through all steps, to a document and the event that tells of it', async () => {
    const event = newEvent();
    const { isrc } = event.data;
    await send(event);
    await untilTold('document_indexed', isrc);
    const document = await readDocument(index.connection, isrc);
    expect(document?.payload).toMatchObject({ isrc, title: event.data.title, embedding_model: 'contract' });
    await eventually(async () => {
      expect(await eventsOf('track/ingestion.completed', isrc)).toMatchObject([
        { isrc, runId: expect.any(String), result: { embeddingDimensions: dimensions, hasLyrics: false } },
      ]);
    }, patience);
  }, 180_000);

  test('a repeated id starts no run; a new generation does, and stops at once unless it is forced', async () => {
    const event = newEvent();
    const { isrc } = event.data;
    await send(event);
    await untilTold('document_indexed', isrc);
    const repeated = await send(event);
    await send({ ...event, id: eventId(isrc, 2) });
    await untilTold('ingestion_skipped', isrc);
    await send({ ...event, id: eventId(isrc, 3), data: { ...event.data, force: true } });
    await untilTold('document_indexed', isrc, 2);
    expect(await runsOf(repeated)).toEqual([]);
    expect(told('ingestion_skipped', isrc)).toMatchObject([{ reason: 'already_indexed' }]);
  }, 180_000);

  test('a step that fails is tried again, and the steps before it are not', async () => {
    const event = newEvent();
    const { isrc, title } = event.data;
    embeddings.answerWith(text => (text.includes(title) && embeddings.asked(title) === 1 ? 503 : 200));
    await send(event);
    await untilTold('document_indexed', isrc);
    expect(told('ingestion_attempt_failed', isrc)).toMatchObject([
      { attempt: 0, error: expect.stringContaining('embed-interpretation') },
    ]);
    expect(embeddings.asked(title)).toBe(2);
  }, 180_000);

  test('a run that cannot succeed ends at once, and an event tells of it', async () => {
    const event = newEvent();
    const { isrc, title } = event.data;
    embeddings.answerWith(text => (text.includes(title) ? 400 : 200));
    const id = await send(event);
    await untilTold('ingestion_failed', isrc);
    expect(told('ingestion_attempt_failed', isrc)).toHaveLength(1);
    await eventually(async () => {
      expect(await eventsOf('track/ingestion.failed', isrc)).toMatchObject([
        { isrc, failedStep: 'embed-interpretation', error: expect.stringContaining('400') },
      ]);
    }, patience);
    // Its answer may be 15 s old, and other apps may listen to the event.
    await eventually(
      async () => expect((await runsOf(id)).map(run => run.status)).toContain('Failed'),
      patience,
    );
    expect(await readDocument(index.connection, isrc)).toBeNull();
  }, 180_000);

  test('a run of a high priority goes ahead of those that wait', async () => {
    const [first, late, urgent] = [newEvent(), newEvent(), newEvent({ priority: 600 })];
    const gate = Promise.withResolvers<void>();
    embeddings.answerWith(async text => {
      if (text.includes(first.data.title)) await gate.promise;
      return 200;
    });
    await send(first);
    await eventually(() => expect(embeddings.asked(first.data.title)).toBe(1), patience);
    await send(late);
    await send(urgent);
    // The last of them has reached the queue when what was sent is listed.
    await eventually(
      async () => expect(await eventsOf(ingestionRequested, urgent.data.isrc)).toHaveLength(1),
      patience,
    );
    gate.resolve();
    await untilTold('document_indexed', late.data.isrc);
    const order = worker.logs.filter(({ event }) => event === 'document_indexed').map(({ isrc }) => isrc);
    expect(order.slice(-3)).toEqual([first, urgent, late].map(({ data }) => data.isrc));
  }, 180_000);

  test('events that come while the worker is away run when it is back', async () => {
    await worker.stop();
    const event = newEvent();
    await send(event);
    worker = await startWorker();
    await untilTold('document_indexed', event.data.isrc);
    expect(await readDocument(index.connection, event.data.isrc)).not.toBeNull();
  }, 180_000);
});

/** The real index, where there is one, with a collection of its own; else the stand-in. */
async function startIndex() {
  const running = addressOf(qdrant);
  const apiKey = running ? process.env.TEST_QDRANT_API_KEY : undefined;
  const standIn = running ? null : await startQdrant();
  const url = running ?? (standIn?.url as string);
  const collection = `contract_${randomUUID()}`;
  const connection = connectToIndex({ url, apiKey, collection, timeoutMs: 10_000 });
  return {
    connection,
    environment: {
      QDRANT_URL: url,
      QDRANT_COLLECTION: collection,
      ...(apiKey && { QDRANT_API_KEY: apiKey }),
    },
    stop: async () => {
      await connection.call(client => client.deleteCollection(collection));
      await standIn?.close();
    },
  };
}

/** An embedding service that answers as a test says, and counts how often it was asked for a text. */
async function startEmbeddings() {
  let answer: (text: string) => number | Promise<number> = () => 200;
  const texts: string[] = [];
  const service = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const [text] = (JSON.parse(body) as { input: [string] }).input;
    texts.push(text);
    const status = await answer(text);
    const embedding = Array.from({ length: dimensions }, (_, place) => (place === text.length ? 1 : 0));
    response.writeHead(status).end(JSON.stringify({ data: [{ index: 0, embedding }] }));
  });
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  return {
    url: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
    answerWith(given: typeof answer) {
      answer = given;
    },
    asked: (title: string) => texts.filter(text => text.includes(title)).length,
    async stop() {
      service.closeAllConnections();
      service.close();
    },
  };
}

let made = 0;
const session = randomUUID().slice(0, 5).toUpperCase();

/** One that no other test, and no run of the tests before, has sent. */
function newEvent(given: object = {}) {
  const isrc = `${session}${String(++made).padStart(7, '0')}`;
  const data = {
    isrc,
    title: `Title ${isrc}`,
    artist: 'Artist',
    album: 'Album',
    priority: 0,
    force: false,
    ...given,
  };
  return { id: eventId(isrc, 1), name: ingestionRequested, data };
}
