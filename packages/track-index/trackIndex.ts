import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import { findShapeProblem } from './collection.ts';
import { type ConnectOptions, connectToIndex } from './connect.ts';
import { isMissingCollection } from './qdrantError.ts';

export type TrackIndexOptions = ConnectOptions & {
  /** Told once when the collection is missing, and again when it is missing anew. */
  onMissing?: (message: string) => void;
  /** Told once when the collection has other vectors than ours; the message names both shapes. */
  onOtherShape?: (message: string) => void;
};

/** The index, as far as the relay needs it. */
export type TrackIndex = {
  /**
   * Asks in one call which recordings have a point already. The key of each entry is an ISRC as given. A collection
   * that does not exist has none of them.
   *
   * @throws when the index does not answer in time, or answers anything else but 200
   */
  checkTracksExist: (isrcs: string[]) => Promise<Map<string, boolean>>;
};

/** A key may have the right to ask for points and none to see the collection: each call would be two. */
const lookAgainAfterMs = 60_000;

/** Opens the index for asking; no request is made yet. */
export function createTrackIndex({ onMissing, onOtherShape, ...options }: TrackIndexOptions): TrackIndex {
  const connection = connectToIndex(options);
  const { collection } = options;
  let isMissing = false;
  /** From when on the shape is to be looked at, on the clock of `performance.now()`. */
  let lookFrom = 0;

  /** Beside the answer, which needs no vectors. Where it cannot be seen, a later call looks again. */
  function lookAtShape(): void {
    if (!onOtherShape || performance.now() < lookFrom) return;
    lookFrom = Number.POSITIVE_INFINITY;
    findShapeProblem(connection).then(
      problem => problem && onOtherShape(problem),
      () => {
        lookFrom = performance.now() + lookAgainAfterMs;
      },
    );
  }

  return {
    async checkTracksExist(isrcs) {
      const ids = isrcs.map(hashIsrcToUuid);
      const query = { ids, with_payload: false, with_vector: false };
      try {
        const points = await connection.call(client => client.retrieve(collection, query));
        isMissing = false;
        lookAtShape();
        const found = new Set(points.map(point => point.id));
        return new Map(isrcs.map((isrc, index) => [isrc, found.has(ids[index] as string)]));
      } catch (error) {
        if (!isMissingCollection(error)) throw error;
        if (!isMissing)
          onMissing?.(`collection ${collection} does not exist yet; everything counts as not indexed`);
        isMissing = true;
        lookFrom = 0;
        return new Map(isrcs.map(isrc => [isrc, false]));
      }
    },
  };
}
