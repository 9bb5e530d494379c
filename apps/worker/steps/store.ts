import { ensureCollection } from '@segue/track-index/collection.ts';
import type { Connection } from '@segue/track-index/connect.ts';
import { type TrackDocument, upsertDocument } from '@segue/track-index/document.ts';
import { isMissingCollection } from '@segue/track-index/qdrantError.ts';
import type { Embedded } from './embed.ts';

/**
 * Puts the document into the index. A collection that was deleted while we ran is created again.
 *
 * @throws what the client throws; CollectionShapeError
 */
export async function storeDocument(
  connection: Connection,
  document: TrackDocument,
  { embedding, label }: Embedded,
): Promise<{ pointId: string }> {
  const upsert = () => upsertDocument(connection, { ...document, ...label }, embedding);
  try {
    return await upsert();
  } catch (error) {
    if (!isMissingCollection(error)) throw error;
    await ensureCollection(connection);
    return await upsert();
  }
}
