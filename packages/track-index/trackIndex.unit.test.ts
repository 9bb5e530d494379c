import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QdrantClient } from '@qdrant/js-client-rest';
import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import { startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createTrackIndex } from './trackIndex.ts';

const [indexed, missing] = ['USRC17607839', 'USUM72409273'];
/** Longer than a test may take. */
const patient = { collection: 'tracks', timeoutMs: 60_000 };

afterEach(() => {
  vi.restoreAllMocks();
});

/** An index that has one recording. */
async function qdrant(options: { apiKey?: string } = {}) {
  const server = await startQdrant(options);
  onTestFinished(() => server.close());
  const client = new QdrantClient({ url: server.url, checkCompatibility: false });
  if (options.apiKey === undefined) {
    await client.createCollection('tracks', { vectors: { size: 2, distance: 'Cosine' } });
    await client.upsert('tracks', { points: [{ id: hashIsrcToUuid(indexed), vector: [1, 0] }] });
  }
  return server;
}

/** A server that answers as the test says. */
async function oddServer(listener: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const found = (ids: string[]) => JSON.stringify({ result: ids.map(id => ({ id })), status: 'ok', time: 0 });

test('checkTracksExist says of each recording whether it is in the index, in one call', async () => {
  const server = await qdrant();
  const bodies: unknown[] = [];
  server.answerWith(request => {
    bodies.push(JSON.parse(request.text()));
    return undefined;
  });
  const index = createTrackIndex({ ...patient, url: server.url });

  expect(await index.checkTracksExist([missing, indexed])).toEqual(
    new Map([
      [missing, false],
      [indexed, true],
    ]),
  );
  expect(bodies).toEqual([
    { ids: [hashIsrcToUuid(missing), hashIsrcToUuid(indexed)], with_payload: false, with_vector: false },
  ]);
});

test('a batch of thousands is one call, too', async () => {
  const server = await qdrant();
  const isrcs = Array.from({ length: 5_000 }, (_, number) => `TESTS${String(number).padStart(7, '0')}`);
  const index = createTrackIndex({ ...patient, url: server.url });
  const exist = await index.checkTracksExist([...isrcs, indexed]);
  expect(exist.size).toBe(5_001);
  expect([...exist].filter(([, exists]) => exists)).toEqual([[indexed, true]]);
});

describe('the address', () => {
  async function urlOf(url: string, apiKey?: string) {
    const fetched = vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response(found([])));
    await createTrackIndex({ ...patient, url, apiKey }).checkTracksExist([indexed]);
    const [address, init] = fetched.mock.calls[0] ?? [];
    return { url: new URL(String(address)), headers: new Headers(init?.headers) };
  }

  // The client by itself drops the path, gives https the port 6333, and makes https of http with a key.
  test.each([
    ['http://127.0.0.1:6333', 'http://127.0.0.1:6333/collections/tracks/points'],
    ['http://qdrant', 'http://qdrant/collections/tracks/points'],
    ['https://qdrant.example', 'https://qdrant.example/collections/tracks/points'],
    ['https://qdrant.example:6333', 'https://qdrant.example:6333/collections/tracks/points'],
    [
      'https://gateway.example/vectors/qdrant/',
      'https://gateway.example/vectors/qdrant/collections/tracks/points',
    ],
    ['http://[::1]:6333', 'http://[::1]:6333/collections/tracks/points'],
  ])('%s', async (url, expected) => {
    const { url: called, headers } = await urlOf(url);
    expect(`${called.origin}${called.pathname}`).toBe(expected);
    expect(headers.get('api-key')).toBeNull();
  });

  test('stays http with a key', async () => {
    vi.spyOn(console, 'warn').mockReturnValue();
    const { url, headers } = await urlOf('http://qdrant:6333', 'a-key');
    expect(url.protocol).toBe('http:');
    expect(headers.get('api-key')).toBe('a-key');
  });
});

describe('throws', () => {
  const failing = async (url: string, options = {}) =>
    createTrackIndex({ ...patient, url, ...options }).checkTracksExist([indexed]);

  test('where nobody listens', async () => {
    const server = await qdrant();
    await server.close();
    await expect(failing(server.url)).rejects.toThrow('fetch failed');
  });

  test('for a path that does not exist, as behind a wrong proxy', async () => {
    const server = await qdrant();
    server.answerWith(() => ({ status: 404, body: 'no such page' }));
    await expect(failing(server.url)).rejects.toThrow('Not Found');
  });

  test('for a wrong key', async () => {
    vi.spyOn(console, 'warn').mockReturnValue();
    const server = await qdrant({ apiKey: 'right' });
    await expect(failing(server.url, { apiKey: 'wrong' })).rejects.toThrow();
  });

  test.each([408, 429, 500, 503])('for a %d', async status => {
    const server = await qdrant();
    server.answerWith(() => ({ status, headers: { 'retry-after': '1' }, body: 'no' }));
    await expect(failing(server.url)).rejects.toThrow();
  });

  test('for 200 with a page', async () => {
    const url = await oddServer((_request, response) => response.end('<html>'));
    await expect(failing(url)).rejects.toThrow();
  });

  test('for an answer that does not come', async () => {
    const server = await qdrant();
    server.answerWith(() => 'hang');
    await expect(failing(server.url, { timeoutMs: 20 })).rejects.toThrow();
  });

  test('for an answer that does not end', async () => {
    const url = await oddServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"result":[');
    });
    await expect(failing(url, { timeoutMs: 20 })).rejects.toThrow();
  });
});

test('an index that has hung for long is asked again, and answers', async () => {
  let hanging = true;
  const url = await oddServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    if (hanging) response.write('{"result":[');
    else response.end(found([hashIsrcToUuid(indexed)]));
  });
  const index = createTrackIndex({ ...patient, url, timeoutMs: 20 });
  // The client has 25 connections. One that is not given up would be lost for good.
  for (let call = 0; call < 30; call++) await expect(index.checkTracksExist([indexed])).rejects.toThrow();
  hanging = false;
  await vi.waitFor(async () =>
    expect(await index.checkTracksExist([indexed])).toEqual(new Map([[indexed, true]])),
  );
});

describe('a collection that does not exist', () => {
  test('has no recording, and is told of once until it is there', async () => {
    const server = await qdrant();
    const onMissing = vi.fn();
    const index = createTrackIndex({ ...patient, url: server.url, collection: 'later', onMissing });
    const nothing = new Map([[indexed, false]]);
    expect(await index.checkTracksExist([indexed])).toEqual(nothing);
    expect(await index.checkTracksExist([indexed])).toEqual(nothing);
    expect(onMissing.mock.calls).toEqual([
      ['collection later does not exist yet; everything counts as not indexed'],
    ]);

    const client = new QdrantClient({ url: server.url, checkCompatibility: false });
    await client.createCollection('later', { vectors: { size: 2, distance: 'Cosine' } });
    expect(await index.checkTracksExist([indexed])).toEqual(nothing);
    await client.deleteCollection('later');
    expect(await index.checkTracksExist([indexed])).toEqual(nothing);
    expect(onMissing).toHaveBeenCalledTimes(2);
  });
});

describe('the shape of the collection', () => {
  test('is looked at once, and told where it is not ours', async () => {
    const server = await qdrant();
    const onOtherShape = vi.fn();
    const index = createTrackIndex({ ...patient, url: server.url, onOtherShape });
    expect(await index.checkTracksExist([indexed])).toEqual(new Map([[indexed, true]]));
    await vi.waitFor(() => expect(onOtherShape).toHaveBeenCalledTimes(1));
    expect(onOtherShape.mock.calls[0]?.[0]).toBe(
      'the collection tracks has another shape: expected interpretation_embedding (1024, Cosine), ' +
        'text_sparse (sparse); found one nameless vector (2, Cosine)',
    );
    await index.checkTracksExist([indexed]);
    expect(onOtherShape).toHaveBeenCalledTimes(1);
  });

  test('is looked at again where it could not be seen, once a minute', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const server = await qdrant();
    const onOtherShape = vi.fn();
    const index = createTrackIndex({ ...patient, url: server.url, onOtherShape });
    let looks = 0;
    server.answerWith(({ method }) => {
      if (method !== 'GET') return undefined;
      looks += 1;
      return { status: 403 };
    });
    for (let calls = 0; calls < 20; calls++) await index.checkTracksExist([indexed]);
    expect(looks).toBe(1);
    server.answerWith(null);
    await vi.waitFor(async () => {
      vi.advanceTimersByTime(60_000);
      await index.checkTracksExist([indexed]);
      expect(onOtherShape).toHaveBeenCalledTimes(1);
    });
  });
});
