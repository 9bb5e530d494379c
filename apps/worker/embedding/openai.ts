import { dimensions } from '@segue/track-index/collection.ts';
import { embedInBatches } from './batches.ts';
import type { Embedder } from './embedder.ts';
import { postForEmbedding, type ServiceOptions } from './request.ts';

/** OpenAI takes 2,048 and 300,000 tokens in sum; others less. */
const inputsARequest = 32;

type Answer = { data?: { index: number; embedding: number[] }[] };

/** Whatever speaks `POST /v1/embeddings`: OpenAI, Ollama, vLLM, text-embeddings-inference. */
export function openaiEmbedder(options: ServiceOptions): Embedder {
  const { model = '' } = options;
  const url = endpointOf(options.url);
  // Only these models can be told how many numbers to give; others refuse the field.
  const size = model.startsWith('text-embedding-3') ? { dimensions } : {};
  return {
    provider: 'openai',
    model,
    embed: texts =>
      embedInBatches(texts, inputsARequest, async input => {
        const body = { model, input, encoding_format: 'float', ...size };
        const { data } = (await postForEmbedding(url, body, options)) as Answer;
        if (!Array.isArray(data)) return [];
        return data.toSorted((one, other) => one.index - other.index).map(({ embedding }) => embedding);
      }),
  };
}

/** `https://api.openai.com`, `…/v1` and `…/v1/embeddings` all mean the last. */
function endpointOf(url: string): string {
  if (url.endsWith('/embeddings')) return url;
  return url.endsWith('/v1') ? `${url}/embeddings` : `${url}/v1/embeddings`;
}
