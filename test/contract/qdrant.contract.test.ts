import { randomUUID } from 'node:crypto';
import type { Isrc } from '@segue/ingestion/isrc.ts';
import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import { startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import { dimensions, ensureCollection, findShapeProblem } from '@segue/track-index/collection.ts';
import { type Connection, connectToIndex } from '@segue/track-index/connect.ts';
import { readDocument, upsertDocument } from '@segue/track-index/document.ts';
import { countPoints, scrollPointIds } from '@segue/track-index/scroll.ts';
import { sparseVectorOf } from '@segue/track-index/sparseVector.ts';
import { createTrackIndex, type TrackIndexOptions } from '@segue/track-index/trackIndex.ts';
import { GenericContainer, Wait } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { addressOf, qdrant } from '../containers/servers.ts';

/** Of the server of TEST_QDRANT_URL, when it wants one. */
const apiKey = addressOf(qdrant) ? process.env.TEST_QDRANT_API_KEY : 'contract';

type Started = { url: string; stop(): Promise<unknown> };

async function startStandIn(): Promise<Started> {
  const { url, close } = await startQdrant(apiKey === undefined ? {} : { apiKey });
  return { url, stop: close };
}

async function startReal(): Promise<Started> {
  const url = addressOf(qdrant);
  if (url) return { url, stop: async () => undefined };
  const container = await new GenericContainer(qdrant.image)
    .withEnvironment({ QDRANT__SERVICE__API_KEY: apiKey as string })
    .withExposedPorts(6333)
    .withWaitStrategy(Wait.forHttp('/readyz', 6333))
    .start();
  return {
    url: `http://${container.getHost()}:${container.getMappedPort(6333)}`,
    stop: () => container.stop(),
  };
}

const servers = [
  ['our stand-in', startStandIn, true],
  [qdrant.image, startReal, inject('real').qdrant],
] as const;

describe.each(servers.filter(([, , there]) => there))('%s', (_name, start) => {
  describe('keeps what the relay relies on', () => {
    const collection = `contract_${randomUUID()}`;
    const [one, other, missing] = ['USRC17607839', 'USUM72409273', 'GBAYE0601498'] as const;
    let server: Started;
    const index = (given: Partial<TrackIndexOptions> = {}) =>
      createTrackIndex({ url: server.url, apiKey, collection, timeoutMs: 10_000, ...given });
    const ask = (method: string, path: string, body?: object) =>
      fetch(`${server.url}/collections/${collection}${path}`, {
        method,
        headers: { 'content-type': 'application/json', ...(apiKey !== undefined && { 'api-key': apiKey }) },
        ...(body && { body: JSON.stringify(body) }),
      });

    beforeAll(async () => {
      server = await start();
      // As the worker makes them.
      const vectors = { interpretation_embedding: { size: 4, distance: 'Cosine' } };
      expect((await ask('PUT', '', { vectors })).status).toBe(200);
      const points = [one, other].map(isrc => ({
        id: hashIsrcToUuid(isrc),
        vector: { interpretation_embedding: [3, 0, 4, 0] },
        payload: { isrc },
      }));
      expect((await ask('PUT', '/points?wait=true', { points })).status).toBe(200);
    });
    afterAll(async () => {
      if (!addressOf(qdrant)) return await server.stop();
      await ask('DELETE', '');
    });

    test('a recording is in the index, or it is not', async () => {
      expect(await index().checkTracksExist([one, missing, other])).toEqual(
        new Map<string, boolean>([
          [one, true],
          [missing, false],
          [other, true],
        ]),
      );
    });

    test('the same recording may be asked for twice', async () => {
      expect(await index().checkTracksExist([one, one])).toEqual(new Map([[one, true]]));
    });

    test('a batch as large as the largest claim is one call', async () => {
      const isrcs = Array.from({ length: 4_999 }, (_, number) => `CONTR${String(number).padStart(7, '0')}`);
      const answer = await index().checkTracksExist([...isrcs, one]);
      expect([...answer].filter(([, exists]) => exists)).toEqual([[one, true]]);
    });

    test('a collection that is missing has no recording', async () => {
      const none = index({ collection: `none_${randomUUID()}` });
      expect(await none.checkTracksExist([one])).toEqual(new Map([[one, false]]));
    });

    test.skipIf(apiKey === undefined)('a wrong key is an error', async () => {
      await expect(index({ apiKey: 'wrong' }).checkTracksExist([one])).rejects.toMatchObject({ status: 401 });
    });

    test('points come in the order asked for, the missing and the repeated left out', async () => {
      const ids = [missing, other, one, other].map(hashIsrcToUuid);
      const response = await ask('POST', '/points', { ids, with_payload: false, with_vector: false });
      expect(await response.json()).toMatchObject({
        result: [{ id: hashIsrcToUuid(other) }, { id: hashIsrcToUuid(one) }],
        status: 'ok',
      });
    });

    test('those who ask whether it is ready need no key', async () => {
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    });
  });

  describe('keeps what the worker relies on', () => {
    let server: Started;
    let connection: Connection;
    beforeAll(async () => {
      server = await start();
      const collection = `contract_${randomUUID()}`;
      connection = connectToIndex({ url: server.url, apiKey, collection, timeoutMs: 10_000 });
    });
    afterAll(async () => {
      await connection.call(client => client.deleteCollection(connection.collection));
      if (!addressOf(qdrant)) await server.stop();
    });

    test('of several that create the collection at once one does, and all find it as it should be', async () => {
      await Promise.all(Array.from({ length: 4 }, () => ensureCollection(connection)));
      expect(await findShapeProblem(connection)).toBeNull();
      const found = await connection.call(client => client.getCollection(connection.collection));
      expect(Object.keys(found.payload_schema).sort()).toEqual([
        'artist',
        'interpretation',
        'isrc',
        'lyrics',
        'title',
      ]);
      await ensureCollection(connection);
    });

    test('a document comes back with both vectors', async () => {
      const embedding = Array.from({ length: dimensions }, (_, place) => (place === 5 ? 2 : 0));
      await upsertDocument(connection, document('USUM72409273'), embedding);
      const read = await readDocument(connection, 'USUM72409273');
      expect(read?.payload).toEqual(document('USUM72409273'));
      // Brought to length 1, as those compared by cosine are.
      expect(read?.vectors.dense?.[5]).toBeCloseTo(1, 3);
      const { indices, values } = sparseVectorOf('So What Miles Davis Kind of Blue');
      const expected = new Map(indices.map((index, place) => [index, values[place] as number]));
      const found = read?.vectors.sparse;
      expect(new Set(found?.indices)).toEqual(new Set(expected.keys()));
      for (const [place, index] of (found?.indices ?? []).entries()) {
        expect(found?.values[place]).toBeCloseTo(expected.get(index) as number, 5);
      }
    });

    test('zeros are stored as they are', async () => {
      await upsertDocument(connection, document('USRC17607839'), new Array(dimensions).fill(0));
      const { dense } = (await readDocument(connection, 'USRC17607839'))?.vectors ?? {};
      expect(dense).toEqual(new Array(dimensions).fill(0));
    });

    test('all ids come in the order that PostgreSQL has for them', async () => {
      const isrcs = Array.from({ length: 30 }, (_, number) => `SCROL${String(number).padStart(7, '0')}`);
      const points = isrcs.map(isrc => ({ id: hashIsrcToUuid(isrc), vector: {}, payload: {} }));
      await connection.call(client => client.upsert(connection.collection, { wait: true, points }));
      const ids = (await Array.fromAsync(scrollPointIds(connection))).flat();
      expect(ids).toHaveLength(await countPoints(connection));
      expect(ids).toEqual(ids.toSorted());
      expect(ids).toEqual(expect.arrayContaining(points.map(({ id }) => id)));
    });
  });
});

const document = (isrc: string) => ({
  isrc: isrc as Isrc,
  title: 'So What',
  artist: 'Miles Davis',
  album: 'Kind of Blue',
  artworkUrl: null,
  lyrics: null,
  interpretation: null,
  short_description: null,
  embedding_provider: 'none',
  embedding_model: null,
  embedding_text: null,
});
