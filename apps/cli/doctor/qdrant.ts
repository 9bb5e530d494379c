import { findShapeProblem } from '@segue/track-index/collection.ts';
import { connectToIndex } from '@segue/track-index/connect.ts';
import { readIndexVariables } from '../library/findIndex.ts';
import { type Check, failure, ok, skipped, warning, whyNoAnswer } from './check.ts';

/** Qdrant answers, takes the key, and has the collection in the shape that worker and relays expect. */
export const qdrant: Check = {
  name: 'qdrant',
  after: [],
  timeoutMs: 5_000,
  async run({ environment }) {
    const { url, apiKey, collection } = readIndexVariables(environment);
    if (url === undefined) return skipped('QDRANT_URL is not set here');
    const index = connectToIndex({ url, apiKey, collection, timeoutMs: 4_000 });
    try {
      const { exists } = await index.call(client => client.collectionExists(collection));
      if (!exists) {
        return warning(
          `${url} answers and has no collection ${collection}: everything counts as not indexed`,
          'start the worker, which makes it; where it was lost: docs/runbook/qdrant-lost.md',
        );
      }
      const problem = await findShapeProblem(index);
      if (problem !== null) {
        return failure(
          problem,
          'choose another QDRANT_COLLECTION, or delete that one and restart the worker',
        );
      }
      return ok(`${url} answers, and the collection ${collection} has our shape`);
    } catch (error) {
      const { status } = error as { status?: unknown };
      if (status === 401 || status === 403) {
        return failure(
          `${url} answers ${status}: it does not take the key`,
          'set QDRANT_API_KEY, and restart relays and worker (docs/runbook/secrets.md)',
        );
      }
      return failure(
        `${url} does not answer: ${whyNoAnswer(error)}`,
        'check QDRANT_URL, and Qdrant itself. Until then everything is sent (docs/runbook/qdrant-lost.md)',
      );
    }
  },
};
