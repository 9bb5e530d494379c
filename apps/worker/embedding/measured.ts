import type { Meter } from '@segue/telemetry/metrics/meter.ts';
import type { Embedder } from './embedder.ts';
import { EmbeddingError } from './embeddingError.ts';

/** The same embedder; each call is counted by what came of it, and timed. */
export function measured(embedder: Embedder, meter: Meter<'worker'>): Embedder {
  return {
    ...embedder,
    async embed(texts) {
      const began = performance.now();
      try {
        const vectors = await embedder.embed(texts);
        meter.add('segue_worker_embeddings_total', { outcome: 'ok' });
        return vectors;
      } catch (error) {
        const outcome = error instanceof EmbeddingError ? error.problem : 'unavailable';
        meter.add('segue_worker_embeddings_total', { outcome });
        throw error;
      } finally {
        meter.observe('segue_worker_embedding_seconds', {}, (performance.now() - began) / 1_000);
      }
    },
  };
}
