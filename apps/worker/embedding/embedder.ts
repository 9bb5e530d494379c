import type { Configuration } from '../configuration.ts';
import { hashedEmbedder } from './hashed.ts';
import { noEmbedder } from './none.ts';
import { openaiEmbedder } from './openai.ts';
import { teiEmbedder } from './tei.ts';

/** Makes vectors of texts. Documents and the queries that look for them must share one. */
export type Embedder = {
  /** As the payload names it. */
  provider: Configuration['EMBEDDING_PROVIDER'];
  /** Null where there is none, or the service does not need to be told. */
  model: string | null;
  /**
   * Embeds each text, in their order.
   *
   * @throws EmbeddingError
   */
  embed(texts: string[]): Promise<number[][]>;
};

/** The embedder of `EMBEDDING_PROVIDER`; no request is made yet. */
export function createEmbedder(configuration: Configuration): Embedder {
  const {
    EMBEDDING_PROVIDER: provider,
    EMBEDDING_URL: url = '',
    EMBEDDING_MODEL: model,
    EMBEDDING_API_KEY: apiKey,
    EMBEDDING_TIMEOUT_MS: timeoutMs,
  } = configuration;
  switch (provider) {
    case 'tei':
      return teiEmbedder({ url, model, apiKey, timeoutMs });
    case 'openai':
      return openaiEmbedder({ url, model, apiKey, timeoutMs });
    case 'hashed':
      return hashedEmbedder;
    case 'none':
      return noEmbedder;
  }
}
