import type { Isrc } from '@segue/ingestion/isrc.ts';
import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import { denseVector, dimensions, sparseVector } from './collection.ts';
import type { Connection } from './connect.ts';
import { isMissingCollection } from './qdrantError.ts';
import { type SparseVector, sparseVectorOf } from './sparseVector.ts';

/** How a recording sounds, by ReccoBeats' names. */
export type AudioFeatures = {
  /** 0 to 1, as the six below. */
  acousticness: number | null;
  danceability: number | null;
  energy: number | null;
  instrumentalness: number | null;
  liveness: number | null;
  speechiness: number | null;
  valence: number | null;
  /** -1 (unknown) to 11. */
  key: number | null;
  /** Decibels, -60 to 0. */
  loudness: number | null;
  /** 0 minor, 1 major. */
  mode: number | null;
  /** Beats a minute, 0 to 250. */
  tempo: number | null;
};

/** Which text the dense vector was made of, and by what. Readers that know nothing of it are not disturbed. */
export type EmbeddingLabel = {
  /** `hashed`, say: a bag of words and no model. */
  embedding_provider: string;
  embedding_model: string | null;
  embedding_text: 'interpretation' | 'metadata' | null;
};

/**
 * A recording as the search reads it: flat, what is unknown null. The audio features are all there or all absent.
 */
export type TrackDocument = {
  isrc: Isrc;
  title: string;
  artist: string;
  album: string;
  artworkUrl: string | null;
  lyrics: string | null;
  interpretation: string | null;
  /** At most 500 characters. */
  short_description: string | null;
} & (AudioFeatures | { [feature in keyof AudioFeatures]?: never });

/** A document in the index. */
export type IndexedDocument = {
  id: string;
  payload: TrackDocument & Partial<EmbeddingLabel>;
  vectors: { dense: number[] | null; sparse: SparseVector | null };
};

/** All of a document that a person would look for by its words. */
function wordsOf({ title, artist, album, lyrics, interpretation, short_description }: TrackDocument): string {
  return [title, artist, album, short_description, interpretation, lyrics].filter(Boolean).join('\n');
}

/**
 * Puts a document into the index, in place of the one that is there for this recording, and waits until it can be
 * found.
 *
 * @param embedding of {@link dimensions} numbers
 * @throws RangeError when it has another length; what the client throws
 */
export async function upsertDocument(
  { collection, call }: Connection,
  document: TrackDocument & EmbeddingLabel,
  embedding: number[],
): Promise<{ pointId: string }> {
  if (embedding.length !== dimensions) {
    throw new RangeError(
      `an embedding of ${embedding.length} numbers for ${document.isrc}: ${dimensions} expected`,
    );
  }
  const id = hashIsrcToUuid(document.isrc);
  const sparse = sparseVectorOf(wordsOf(document));
  const vector = {
    [denseVector]: embedding,
    ...(sparse.indices.length > 0 && { [sparseVector]: sparse }),
  };
  await call(client =>
    client.upsert(collection, { wait: true, points: [{ id, vector, payload: document }] }),
  );
  return { pointId: id };
}

/**
 * Whether a recording has a document. A collection that does not exist has none.
 *
 * @param isrc in any spelling
 * @throws what the client throws
 */
export async function hasDocument({ collection, call }: Connection, isrc: string): Promise<boolean> {
  const query = { ids: [hashIsrcToUuid(isrc)], with_payload: false, with_vector: false };
  try {
    return (await call(client => client.retrieve(collection, query))).length > 0;
  } catch (error) {
    if (isMissingCollection(error)) return false;
    throw error;
  }
}

/**
 * Reads the document of a recording.
 *
 * @param isrc in any spelling
 * @returns null when there is none
 * @throws what the client throws
 */
export async function readDocument(
  { collection, call }: Connection,
  isrc: string,
): Promise<IndexedDocument | null> {
  const query = { ids: [hashIsrcToUuid(isrc)], with_payload: true, with_vector: true };
  const [point] = await call(client => client.retrieve(collection, query));
  if (!point) return null;
  const vectors = (point.vector ?? {}) as Record<string, unknown>;
  return {
    id: String(point.id),
    payload: point.payload as IndexedDocument['payload'],
    vectors: {
      dense: (vectors[denseVector] as number[] | undefined) ?? null,
      sparse: (vectors[sparseVector] as SparseVector | undefined) ?? null,
    },
  };
}
