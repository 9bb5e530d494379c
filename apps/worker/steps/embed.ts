import { dimensions } from '@segue/track-index/collection.ts';
import type { EmbeddingLabel, TrackDocument } from '@segue/track-index/document.ts';
import { NonRetriableError } from 'inngest';
import type { Embedder } from '../embedding/embedder.ts';

/** A document's vector, and what it is. */
export type Embedded = { embedding: number[]; label: EmbeddingLabel };

/**
 * Embeds the interpretation, and without one what is known of the recording.
 *
 * @throws EmbeddingError; NonRetriableError when the vector does not fit the collection
 */
export async function embedDocument(embedder: Embedder, document: TrackDocument): Promise<Embedded> {
  const { provider, model } = embedder;
  const [embedding = []] = await embedder.embed([document.interpretation ?? metadataOf(document)]);
  if (embedding.length !== dimensions) {
    throw new NonRetriableError(
      `${model ?? provider} gives vectors of ${embedding.length} numbers, and the index has ${dimensions}: ` +
        'choose another EMBEDDING_MODEL',
    );
  }
  const source = document.interpretation === null ? 'metadata' : 'interpretation';
  return {
    embedding,
    label: {
      embedding_provider: provider,
      embedding_model: model,
      embedding_text: provider === 'none' ? null : source,
    },
  };
}

function metadataOf({ title, artist, album }: TrackDocument): string {
  return [title, artist && `by ${artist}`, album && `from ${album}`].filter(Boolean).join(' ');
}
