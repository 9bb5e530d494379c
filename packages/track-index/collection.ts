import type { Connection } from './connect.ts';
import { isMissingCollection, statusOf } from './qdrantError.ts';

/** The named vector of a document's meaning. */
export const denseVector = 'interpretation_embedding';
/** The named sparse vector of a document's words. */
export const sparseVector = 'text_sparse';
/** Numbers in the dense vector. */
export const dimensions = 1_024;

const distance = 'Cosine';

/** What the collection is created with, as the search that reads it expects. */
export const creation = {
  vectors: { [denseVector]: { size: dimensions, distance, on_disk: false, datatype: 'float16' } },
  sparse_vectors: { [sparseVector]: { modifier: 'idf' } },
  hnsw_config: { m: 16, ef_construct: 200, on_disk: false },
  optimizers_config: { indexing_threshold: 20_000, memmap_threshold: 50_000, max_segment_size: 200_000 },
} as const;

const payloadIndexes = {
  isrc: 'keyword',
  title: 'text',
  artist: 'text',
  lyrics: 'text',
  interpretation: 'text',
} as const;

/** The collection exists and holds other vectors than ours. The message names both shapes. */
export class CollectionShapeError extends Error {
  override name = 'CollectionShapeError';
}

type Vectors = Record<string, unknown>;
/** What `GET /collections/{name}` says, as far as it is looked at. */
type Description = {
  config?: { params?: { vectors?: Vectors | undefined; sparse_vectors?: Vectors | undefined } };
  payload_schema?: Record<string, unknown>;
};

/**
 * Creates the collection and its payload indexes where they are missing. Several may do so at once: one creates it,
 * the others compare.
 *
 * @throws CollectionShapeError when a collection of this name has other vectors; what the client throws when Qdrant
 * cannot be asked
 */
export async function ensureCollection(connection: Connection): Promise<void> {
  const { collection, call } = connection;
  let found = await describeCollection(connection);
  if (found === null) {
    await call(client => client.createCollection(collection, creation)).catch(error => {
      // Somebody else was faster.
      if (statusOf(error) !== 409) throw error;
    });
    found = await describeCollection(connection);
  }
  const problem = found && shapeProblem(collection, found);
  if (problem) throw new CollectionShapeError(problem);
  for (const [field, schema] of Object.entries(payloadIndexes)) {
    if (found?.payload_schema?.[field] !== undefined) continue;
    const index = { field_name: field, field_schema: schema, wait: true };
    await call(client => client.createPayloadIndex(collection, index));
  }
}

/**
 * Says in one line how the collection's vectors differ from ours. Null when they do not, or there is no collection.
 *
 * @throws what the client throws when Qdrant cannot be asked
 */
export async function findShapeProblem(connection: Connection): Promise<string | null> {
  const found = await describeCollection(connection);
  return found && shapeProblem(connection.collection, found);
}

/** Null where there is no such collection. */
async function describeCollection({ collection, call }: Connection): Promise<Description | null> {
  try {
    return (await call(client => client.getCollection(collection))) as Description;
  } catch (error) {
    if (isMissingCollection(error)) return null;
    throw error;
  }
}

/** Only what decides whether our documents fit: names, sizes, distance. Further vectors and all tuning are the owner's. */
function shapeProblem(collection: string, { config }: Description): string | null {
  const { vectors = {}, sparse_vectors: sparse = {} } = config?.params ?? {};
  const dense = vectors[denseVector] as { size?: unknown; distance?: unknown } | undefined;
  const fits =
    dense?.size === dimensions && dense.distance === distance && sparse[sparseVector] !== undefined;
  if (fits) return null;
  return (
    `the collection ${collection} has another shape: expected ` +
    `${shapeOf(creation.vectors, creation.sparse_vectors)}; found ${shapeOf(vectors, sparse)}`
  );
}

/** `interpretation_embedding (1024, Cosine), text_sparse (sparse)` */
function shapeOf(vectors: Vectors, sparse: Vectors): string {
  // One nameless vector stands there without a name around it.
  const named = typeof vectors.size === 'number' ? { 'one nameless vector': vectors } : vectors;
  const parts = [
    ...Object.entries(named).map(([name, params]) => {
      const { size, distance } = params as { size: number; distance: string };
      return `${name} (${size}, ${distance})`;
    }),
    ...Object.keys(sparse).map(name => `${name} (sparse)`),
  ];
  return parts.join(', ') || 'no vectors';
}
