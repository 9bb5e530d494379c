import { EmbeddingError } from './embeddingError.ts';

/**
 * Embeds texts in batches of a size that the service takes. A batch that it refuses may be too large for it, or hold
 * one text that is: it is halved, down to the single text, so that the error is about one.
 *
 * @throws what `embed` throws; EmbeddingError `unavailable` when there are not as many vectors as texts
 */
export async function embedInBatches(
  texts: string[],
  most: number,
  embed: (batch: string[]) => Promise<number[][]>,
): Promise<number[][]> {
  const vectors: number[][] = [];
  for (let start = 0; start < texts.length; start += most) {
    vectors.push(...(await embedBatch(texts.slice(start, start + most), embed)));
  }
  return vectors;
}

async function embedBatch(
  batch: string[],
  embed: (batch: string[]) => Promise<number[][]>,
): Promise<number[][]> {
  try {
    const vectors = await embed(batch);
    if (vectors.length === batch.length && vectors.every(isVector)) return vectors;
  } catch (error) {
    const mayBeTooMuch = error instanceof EmbeddingError && error.problem === 'input' && batch.length > 1;
    if (!mayBeTooMuch) throw error;
    const middle = Math.ceil(batch.length / 2);
    return [
      ...(await embedBatch(batch.slice(0, middle), embed)),
      ...(await embedBatch(batch.slice(middle), embed)),
    ];
  }
  throw new EmbeddingError(
    'unavailable',
    'the embedding service answered with something else than a vector a text',
  );
}

function isVector(vector: unknown): boolean {
  return Array.isArray(vector) && vector.length > 0 && vector.every(Number.isFinite);
}
