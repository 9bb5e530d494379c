import { pause } from '@segue/process/pause.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/lines.ts';
import { CollectionShapeError, ensureCollection } from '@segue/track-index/collection.ts';
import type { Connection } from '@segue/track-index/connect.ts';

export type CollectionGuard = {
  /** Whether the collection is there and of our shape. @throws when Qdrant cannot be asked */
  check(): Promise<boolean>;
  /** A call under way is not waited for: nothing is lost with it, and a Qdrant that hangs would delay the stop. */
  stop(): void;
};

const firstPauseMs = 500;
const longestPauseMs = 10_000;

/**
 * Makes sure of the collection. Where Qdrant is away, this goes on beside the work: events must not meet an Inngest
 * that has no function for them, and their runs wait for Qdrant by their retries.
 *
 * @param onOtherShape told when it turns out later that the collection is of another shape
 * @throws CollectionShapeError when it is so from the beginning
 */
export async function guardCollection(
  connection: Connection,
  logger: Logger,
  onOtherShape: (error: CollectionShapeError) => void,
): Promise<CollectionGuard> {
  const stopping = new AbortController();
  const { signal } = stopping;
  let isTold = false;

  async function tryOnce(): Promise<boolean> {
    try {
      await ensureCollection(connection);
      return true;
    } catch (error) {
      if (error instanceof CollectionShapeError) throw error;
      if (signal.aborted || isTold) return false;
      isTold = true;
      const line = { event: 'qdrant_error', result: 'error', error: reasonOf(error) } as const;
      logger.error(
        line,
        `collection ${connection.collection} not looked at; trying again until Qdrant answers`,
      );
      return false;
    }
  }

  async function keepTrying(): Promise<void> {
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      await pause(pauseMs, signal);
      if (signal.aborted || (await tryOnce())) return;
    }
  }

  if (!(await tryOnce())) {
    keepTrying().catch(error => onOtherShape(error as CollectionShapeError));
  }
  return {
    check: async () =>
      (await connection.call(client => client.collectionExists(connection.collection))).exists,
    stop: () => stopping.abort(),
  };
}
