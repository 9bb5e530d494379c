import { randomUUID } from 'node:crypto';
import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import { startQdrant } from '@segue/stand-ins/qdrant/server.ts';
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

describe.each([
  ['our stand-in', startStandIn, true],
  [qdrant.image, startReal, inject('real').qdrant],
] as const)('%s', (_name, start, there) => {
  describe.skipIf(!there)('keeps what the relay relies on', () => {
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
});
