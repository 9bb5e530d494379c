import { expect, test } from 'vitest';
import { CollectionShapeError, ensureCollection, findShapeProblem } from './collection.ts';
import { startIndex } from './test/qdrant.ts';

test('a missing collection is created with both vectors and five payload indexes', async () => {
  const { connection } = await startIndex();
  await ensureCollection(connection);
  const created = await connection.call(client => client.getCollection('tracks'));
  expect(created.config.params).toMatchObject({
    vectors: {
      interpretation_embedding: { size: 1_024, distance: 'Cosine', on_disk: false, datatype: 'float16' },
    },
    sparse_vectors: { text_sparse: { modifier: 'idf' } },
  });
  expect(created.payload_schema).toMatchObject({
    isrc: { data_type: 'keyword' },
    title: { data_type: 'text' },
    artist: { data_type: 'text' },
    lyrics: { data_type: 'text' },
    interpretation: { data_type: 'text' },
  });
  expect(await findShapeProblem(connection)).toBeNull();
});

test('several that come first at once agree on one collection', async () => {
  const { connection } = await startIndex();
  await Promise.all(Array.from({ length: 5 }, () => ensureCollection(connection)));
  expect(await findShapeProblem(connection)).toBeNull();
});

test('a collection that is there is left as it is, and gets the payload indexes that it lacks', async () => {
  const { connection, answerWith } = await startIndex();
  await ensureCollection(connection);
  const writes: string[] = [];
  answerWith(request => {
    if (request.method !== 'GET') writes.push(`${request.method} ${request.url}`);
    return undefined;
  });
  await ensureCollection(connection);
  expect(writes).toEqual([]);

  await connection.call(client => client.deleteCollection('tracks'));
  const vectors = { interpretation_embedding: { size: 1_024, distance: 'Cosine' as const } };
  const sparse_vectors = { text_sparse: {} };
  await connection.call(client => client.createCollection('tracks', { vectors, sparse_vectors }));
  await ensureCollection(connection);
  const found = await connection.call(client => client.getCollection('tracks'));
  expect(Object.keys(found.payload_schema)).toHaveLength(5);
});

test.each([
  [{ vectors: { size: 4, distance: 'Dot' as const } }, 'one nameless vector (4, Dot)'],
  [
    { vectors: { interpretation_embedding: { size: 4_096, distance: 'Cosine' as const } } },
    'interpretation_embedding (4096, Cosine)',
  ],
  [
    {
      vectors: { interpretation_embedding: { size: 1_024, distance: 'Dot' as const } },
      sparse_vectors: { text_sparse: {} },
    },
    'interpretation_embedding (1024, Dot), text_sparse (sparse)',
  ],
  [
    { vectors: { interpretation_embedding: { size: 1_024, distance: 'Cosine' as const } } },
    'interpretation_embedding (1024, Cosine)',
  ],
  [{}, 'no vectors'],
])('a collection of other vectors is refused with both shapes: %j', async (given, found) => {
  const { connection } = await startIndex();
  await connection.call(client => client.createCollection('tracks', given));
  const refused = ensureCollection(connection);
  await expect(refused).rejects.toThrow(CollectionShapeError);
  await expect(refused).rejects.toThrow(
    `the collection tracks has another shape: expected interpretation_embedding (1024, Cosine), text_sparse (sparse); found ${found}`,
  );
});

test('an index that does not answer is another error', async () => {
  const { connection, answerWith } = await startIndex();
  answerWith(() => ({ status: 503 }));
  await expect(ensureCollection(connection)).rejects.toMatchObject({ status: 503 });
});
