import type { Isrc } from '@segue/ingestion/isrc.ts';
import { expect, test } from 'vitest';
import { ensureCollection } from './collection.ts';
import { type EmbeddingLabel, readDocument, type TrackDocument, upsertDocument } from './document.ts';
import { countPoints, scrollPointIds } from './scroll.ts';
import { sparseVectorOf } from './sparseVector.ts';
import { startIndex } from './test/qdrant.ts';

const document: TrackDocument & EmbeddingLabel = {
  isrc: 'USUM72409273' as Isrc,
  title: 'Die With A Smile',
  artist: 'Lady Gaga, Bruno Mars',
  album: 'Die With A Smile',
  artworkUrl: null,
  lyrics: null,
  interpretation: null,
  short_description: null,
  embedding_provider: 'none',
  embedding_model: null,
  embedding_text: null,
};
const embedding = Array.from({ length: 1_024 }, (_, place) => (place === 3 ? 1 : 0));

async function startTracks() {
  const index = await startIndex();
  await ensureCollection(index.connection);
  return index;
}

test('a document comes back from the point id of the contract, with both vectors and its nulls', async () => {
  const { connection } = await startTracks();
  expect(await readDocument(connection, document.isrc)).toBeNull();
  const pointId = 'abea7611-b7c9-a78a-f6fd-9471b7dab357';
  expect(await upsertDocument(connection, document, embedding)).toEqual({ pointId });
  const read = await readDocument(connection, 'us-um7-24-09273');
  expect(read).toMatchObject({ id: pointId, payload: document, vectors: { dense: embedding } });
  const words = sparseVectorOf('die with a smile lady gaga bruno mars die with a smile');
  expect(new Set(read?.vectors.sparse?.indices)).toEqual(new Set(words.indices));
});

test('a document without words that can be searched for has no sparse vector', async () => {
  const { connection } = await startTracks();
  const texts = { title: '夜に駆ける', artist: '', album: '' };
  await upsertDocument(connection, { ...document, ...texts }, embedding);
  expect((await readDocument(connection, document.isrc))?.vectors).toEqual({
    dense: embedding,
    sparse: null,
  });
});

test('a document takes the place of the one before', async () => {
  const { connection } = await startTracks();
  await upsertDocument(connection, document, embedding);
  await upsertDocument(connection, { ...document, lyrics: 'I just woke up' }, embedding);
  expect((await readDocument(connection, document.isrc))?.payload.lyrics).toBe('I just woke up');
  expect(await countPoints(connection)).toBe(1);
});

test('an embedding of another length is stored nowhere', async () => {
  const { connection } = await startTracks();
  await expect(upsertDocument(connection, document, [1, 2])).rejects.toThrow(
    'an embedding of 2 numbers for USUM72409273: 1024 expected',
  );
  expect(await countPoints(connection)).toBe(0);
});

test('all point ids come in their order, over several pages', async () => {
  const { connection } = await startTracks();
  const ids = Array.from(
    { length: 2_100 },
    (_, number) => `00000000-0000-0000-0000-${String(number).padStart(12, '0')}`,
  );
  const points = ids.toReversed().map(id => ({ id, vector: {}, payload: {} }));
  await connection.call(client => client.upsert('tracks', { points }));
  const pages = await Array.fromAsync(scrollPointIds(connection));
  expect(pages.map(page => page.length)).toEqual([1_000, 1_000, 100]);
  expect(pages.flat()).toEqual(ids);
  expect(await countPoints(connection)).toBe(2_100);
});

test('a collection that does not exist has no points', async () => {
  const { connection } = await startIndex();
  expect(await Array.fromAsync(scrollPointIds(connection))).toEqual([]);
  expect(await countPoints(connection)).toBe(0);
});
