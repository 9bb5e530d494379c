import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QdrantClient } from '@qdrant/js-client-rest';
import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import { expect, onTestFinished, test } from 'vitest';
import { type QdrantOptions, startQdrant } from './server.ts';

const one = hashIsrcToUuid('USRC17607839');
const other = hashIsrcToUuid('USUM72409273');
const missing = hashIsrcToUuid('GBAYE0601498');
const vectors = { interpretation_embedding: { size: 4, distance: 'Cosine' as const } };
const point = (id: string | number) => ({
  id,
  vector: { interpretation_embedding: [3, 0, 4, 0] },
  payload: { title: String(id) },
});

async function start(options: QdrantOptions = {}) {
  const server = await startQdrant(options);
  onTestFinished(server.close);
  const client = new QdrantClient({
    url: server.url,
    ...(options.apiKey !== undefined && { apiKey: options.apiKey }),
  });
  return { ...server, client };
}

async function startWithTracks(options: QdrantOptions = {}) {
  const server = await start(options);
  await server.client.createCollection('tracks', { vectors });
  await server.client.upsert('tracks', { wait: true, points: [point(one), point(other), point(7)] });
  return server;
}

async function post(url: string, path: string, body: string, type = 'application/json', method = 'POST') {
  const response = await fetch(`${url}${path}`, { method, body, headers: { 'content-type': type } });
  expect(response.headers.get('content-type')).toBe('application/json');
  return { status: response.status, body: (await response.json()) as { status: { error: string } } };
}

test('the real client finds the version it expects', async () => {
  const { client, url } = await start();
  expect(await client.versionInfo()).toMatchObject({
    title: 'qdrant - vector search engine',
    version: '1.19.0',
  });
  for (const path of ['healthz', 'livez', 'readyz']) expect((await fetch(`${url}/${path}`)).status).toBe(200);
});

test('a collection is made once, and described', async () => {
  const { client } = await start();
  expect(await client.collectionExists('tracks')).toEqual({ exists: false });
  expect(await client.createCollection('tracks', { vectors })).toBe(true);
  expect(await client.collectionExists('tracks')).toEqual({ exists: true });
  expect(await client.getCollection('tracks')).toMatchObject({
    status: 'green',
    points_count: 0,
    config: { params: { vectors } },
  });
  await expect(client.createCollection('tracks', { vectors })).rejects.toMatchObject({
    status: 409,
    data: { status: { error: 'Wrong input: Collection `tracks` already exists!' } },
  });
});

test('points come back in the order asked for, the missing and the repeated left out', async () => {
  const { client } = await startWithTracks();
  const found = await client.retrieve('tracks', {
    ids: [7, missing, other, one, other, one.toUpperCase()],
    with_payload: false,
  });
  expect(found).toEqual([{ id: 7 }, { id: other }, { id: one }]);
});

test('payload and vectors come as they are asked for', async () => {
  const { client } = await startWithTracks();
  expect(await client.retrieve('tracks', { ids: [one], with_vector: true })).toEqual([
    { id: one, payload: { title: one }, vector: { interpretation_embedding: [0.6, 0, 0.8, 0] } },
  ]);
  expect(
    await client.retrieve('tracks', { ids: [one], with_payload: ['other'], with_vector: ['unknown'] }),
  ).toEqual([{ id: one, payload: {}, vector: {} }]);
});

test('the answer to a bare request has payloads, and no vectors', async () => {
  const { url } = await startWithTracks();
  const { body } = await post(url, '/collections/tracks/points', JSON.stringify({ ids: [one] }));
  expect(body).toEqual({
    result: [{ id: one, payload: { title: one } }],
    status: 'ok',
    time: expect.any(Number),
  });
});

test('an upsert puts a point in the place of the one before, and says what became of it', async () => {
  const { client } = await startWithTracks();
  const renamed = { ...point(one), payload: { title: 'new' } };
  expect(await client.upsert('tracks', { wait: true, points: [renamed] })).toEqual({
    operation_id: 1,
    status: 'completed',
  });
  expect(await client.upsert('tracks', { wait: false, points: [renamed] })).toMatchObject({
    status: 'acknowledged',
  });
  expect(await client.retrieve('tracks', { ids: [one] })).toEqual([{ id: one, payload: { title: 'new' } }]);
  expect(await client.count('tracks')).toEqual({ count: 3 });
});

test('nameless vectors are compared as they are unless by cosine', async () => {
  const { client } = await start();
  await client.createCollection('plain', { vectors: { size: 2, distance: 'Dot' } });
  await client.upsert('plain', { wait: true, points: [{ id: 1, vector: [3, 4] }] });
  expect(await client.retrieve('plain', { ids: [1], with_vector: true })).toEqual([
    { id: 1, payload: {}, vector: [3, 4] },
  ]);
});

test.each([
  ['getCollection', (client: QdrantClient) => client.getCollection('none')],
  ['retrieve', (client: QdrantClient) => client.retrieve('none', { ids: [one] })],
  ['upsert', (client: QdrantClient) => client.upsert('none', { points: [point(one)] })],
  ['count', (client: QdrantClient) => client.count('none')],
])('a missing collection is said to be missing: %s', async (_name, ask) => {
  const { client } = await startWithTracks();
  await expect(ask(client)).rejects.toMatchObject({
    status: 404,
    data: { status: { error: "Not found: Collection `none` doesn't exist!" }, time: expect.any(Number) },
  });
});

const embedding = (name: string, vector: unknown) => ({ points: [{ id: one, vector: { [name]: vector } }] });

test.each([
  [
    'POST',
    '/collections/tracks/points',
    { ids: [one, 'USRC17607839'] },
    400,
    'Format error in JSON body: value USRC17607839 is not a valid point ID, valid values are either an unsigned integer or a UUID',
  ],
  [
    'POST',
    '/collections/tracks/points',
    { ids: [-1] },
    400,
    'Format error in JSON body: value -1 is not a valid point ID, valid values are either an unsigned integer or a UUID',
  ],
  ['POST', '/collections/tracks/points', {}, 400, 'Format error in JSON body: missing field `ids`'],
  ['POST', '/collections/tracks/points', [], 400, 'Format error in JSON body: expected an object'],
  ['PUT', '/collections/tracks/points', {}, 400, 'Format error in JSON body: missing field `points`'],
  [
    'PUT',
    '/collections/tracks/points',
    { points: [{ id: 'x', vector: {} }] },
    400,
    'Format error in JSON body: value x is not a valid point ID, valid values are either an unsigned integer or a UUID',
  ],
  [
    'PUT',
    '/collections/tracks/points',
    { points: [{ id: one }] },
    400,
    'Format error in JSON body: data did not match any variant of untagged enum VectorStruct',
  ],
  [
    'PUT',
    '/collections/tracks/points',
    embedding('interpretation_embedding', 'x'),
    400,
    'Format error in JSON body: data did not match any variant of untagged enum VectorStruct',
  ],
  [
    'PUT',
    '/collections/tracks/points',
    embedding('interpretation_embedding', [1, 2]),
    400,
    'Wrong input: Vector dimension error: expected dim: 4, got 2',
  ],
  [
    'PUT',
    '/collections/tracks/points',
    embedding('other', [1, 2]),
    400,
    'Wrong input: Not existing vector name error: other',
  ],
  [
    'PUT',
    '/collections/new',
    { vectors: { size: 0, distance: 'Cosine' } },
    400,
    'Format error in JSON body: vectors.size: expected 1 or more',
  ],
  [
    'PUT',
    '/collections/new',
    { vectors: { a: { size: 4, distance: 'Near' } } },
    400,
    'Format error in JSON body: unknown variant `Near`, expected one of `Cosine`, `Euclid`, `Dot`, `Manhattan`',
  ],
  [
    'POST',
    '/collections/tracks/points/count',
    { filter: {} },
    501,
    'The stand-in for Qdrant does not offer filters',
  ],
  [
    'PUT',
    '/collections/tracks/points',
    { batch: {} },
    501,
    'The stand-in for Qdrant does not offer upserts by `batch`',
  ],
])('%s %s %j is refused', async (method, path, sent, status, error) => {
  const { url, client } = await startWithTracks();
  const answer = await post(url, path, JSON.stringify(sent), 'application/json', method);
  expect(answer).toEqual({ status, body: { status: { error }, time: expect.any(Number) } });
  expect(await client.count('tracks')).toEqual({ count: 3 });
});

test('what is no JSON, or too much of it, is refused', async () => {
  const { url } = await startWithTracks();
  const malformed = await post(url, '/collections/tracks/points', '{');
  expect(malformed.status).toBe(400);
  expect(malformed.body.status.error).toMatch(/^Format error in JSON body: /);
  expect(await post(url, '/collections/tracks/points', '{}', 'text/plain')).toMatchObject({
    status: 400,
    body: { status: { error: 'Content type error' } },
  });
  const large = await post(url, '/collections/tracks/points', ' '.repeat(32 * 1024 * 1024 + 1));
  expect(large).toMatchObject({
    status: 400,
    body: { status: { error: 'JSON payload has exceeded limit (33554432 bytes).' } },
  });
});

test('a key, once set, is asked for in plain text, except for health and version', async () => {
  const { url, client } = await start({ apiKey: 'secret' });
  expect(await client.collectionExists('tracks')).toEqual({ exists: false });
  const ask = async (headers: Record<string, string>) => {
    const response = await fetch(`${url}/collections/tracks/exists`, { headers });
    return [response.status, response.headers.get('content-type'), await response.text()];
  };
  const plain = 'text/plain; charset=utf-8';
  expect(await ask({})).toEqual([401, plain, 'Must provide an API key or an Authorization bearer token']);
  expect(await ask({ 'api-key': 'wrong' })).toEqual([401, plain, 'Invalid API key or JWT']);
  expect((await ask({ authorization: 'Bearer secret' }))[0]).toBe(200);
  for (const path of ['', 'healthz', 'livez', 'readyz'])
    expect((await fetch(`${url}/${path}`)).status).toBe(200);
  expect((await fetch(`${url}/nowhere`)).status).toBe(401);
});

test('a fault meets the real client as the server would cause it', async () => {
  const { client, answerWith } = await startWithTracks();
  answerWith(({ url }) =>
    url.startsWith('/collections/tracks/points')
      ? { status: 503, body: { status: { error: 'Service internal error: x' } } }
      : undefined,
  );
  await expect(client.retrieve('tracks', { ids: [one] })).rejects.toMatchObject({ status: 503 });
  answerWith(null);
  expect(await client.retrieve('tracks', { ids: [one] })).toHaveLength(1);
});

test('with a file, collections and points outlive the server, and the file does not grow for ever', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'qdrant-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'qdrant.jsonl');
  const first = await startWithTracks({ file });
  for (let time = 0; time < 4; time++) {
    await first.client.upsert('tracks', { wait: true, points: Array(500).fill(point(one)) });
  }
  await first.close();
  expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(1_100);

  const second = await start({ file });
  expect(await second.client.getCollection('tracks')).toMatchObject({
    points_count: 3,
    config: { params: { vectors } },
  });
  expect(await second.client.retrieve('tracks', { ids: [one, 7] })).toEqual([
    { id: one, payload: { title: one } },
    { id: 7, payload: { title: '7' } },
  ]);
});

const bothVectors = { vectors, sparse_vectors: { text_sparse: { modifier: 'idf' as const } } };

test('a point has dense and sparse vectors, or lacks either', async () => {
  const { client } = await start();
  await client.createCollection('both', bothVectors);
  const text_sparse = { indices: [7, 3], values: [0.5, 0.25] };
  await client.upsert('both', {
    points: [
      { id: one, vector: { interpretation_embedding: [0, 0, 0, 0], text_sparse } },
      { id: other, vector: { text_sparse: { indices: [], values: [] } } },
      { id: missing, vector: {} },
    ],
  });
  const points = await client.retrieve('both', { ids: [one, other, missing], with_vector: true });
  expect(points.map(point => point.vector)).toEqual([
    // Zeros have no direction and stay; indices come sorted.
    { interpretation_embedding: [0, 0, 0, 0], text_sparse: { indices: [3, 7], values: [0.25, 0.5] } },
    { text_sparse: { indices: [], values: [] } },
    {},
  ]);
  expect((await client.getCollection('both')).config.params.sparse_vectors).toEqual(
    bothVectors.sparse_vectors,
  );
});

test.each([
  [{ indices: [1, 1], values: [1, 2] }, 422],
  [{ indices: [1], values: [1, 2] }, 422],
  [{ indices: [-1], values: [1] }, 400],
  [[1, 2, 3, 4], 400],
])('a sparse vector that is none is refused: %j', async (text_sparse, status) => {
  const { client, url } = await start();
  await client.createCollection('both', bothVectors);
  const body = JSON.stringify({ points: [{ id: one, vector: { text_sparse } }] });
  const answer = await post(url, '/collections/both/points', body, 'application/json', 'PUT');
  expect(answer.status).toBe(status);
});

test('of several that create a collection at once one does', async () => {
  const { client } = await start();
  const outcomes = await Promise.allSettled(
    Array.from({ length: 5 }, () => client.createCollection('race', { vectors })),
  );
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ status: 409 });
  }
});

test('a payload index is made twice without harm, and described', async () => {
  const { client } = await startWithTracks();
  for (let time = 0; time < 2; time++) {
    await client.createPayloadIndex('tracks', { field_name: 'title', field_schema: 'text', wait: true });
  }
  expect((await client.getCollection('tracks')).payload_schema).toEqual({
    title: { data_type: 'text', points: 3 },
  });
});

test('a collection that is deleted is gone, with its points', async () => {
  const { client } = await startWithTracks();
  expect(await client.deleteCollection('tracks')).toBe(true);
  expect(await client.deleteCollection('tracks')).toBe(false);
  await expect(client.retrieve('tracks', { ids: [one] })).rejects.toMatchObject({ status: 404 });
});

test('scrolling goes through all points in the order of their ids', async () => {
  const { client } = await startWithTracks();
  const first = await client.scroll('tracks', { limit: 2, with_payload: ['title'] });
  expect(first).toEqual({
    points: [
      { id: 7, payload: { title: '7' } },
      { id: one, payload: { title: one } },
    ],
    next_page_offset: other,
  });
  expect(await client.scroll('tracks', { offset: other, with_payload: false })).toEqual({
    points: [{ id: other }],
    next_page_offset: null,
  });
  // An offset need not be there itself.
  const between = '6fffffff-ffff-ffff-ffff-ffffffffffff';
  expect((await client.scroll('tracks', { offset: between })).points.map(({ id }) => id)).toEqual([other]);
  expect((await client.scroll('tracks', { offset: 'ffffffff-ffff-ffff-ffff-ffffffffffff' })).points).toEqual(
    [],
  );
});
