import { embedInBatches } from './batches.ts';
import type { Embedder } from './embedder.ts';
import { postForEmbedding, type ServiceOptions } from './request.ts';

/** `max_client_batch_size` of text-embeddings-inference, by default. */
const inputsARequest = 32;

/** text-embeddings-inference: `POST /embed`. Over-long texts are cut, as it does by itself from 1.9 on. */
export function teiEmbedder(options: ServiceOptions): Embedder {
  const url = options.url.endsWith('/embed') ? options.url : `${options.url}/embed`;
  return {
    provider: 'tei',
    model: options.model ?? null,
    embed: texts =>
      embedInBatches(texts, inputsARequest, async inputs => {
        const answer = await postForEmbedding(url, { inputs, truncate: true, normalize: true }, options);
        return Array.isArray(answer) ? answer : [];
      }),
  };
}
