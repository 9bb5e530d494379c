import { QdrantClient } from '@qdrant/js-client-rest';
import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import { within } from '@segue/process/timeLimit.ts';

export type TrackIndexOptions = {
  url: string;
  apiKey?: string | undefined;
  collection: string;
  /** A call is given up after so many ms. */
  timeoutMs: number;
};

/** The index, as far as the relay needs it. */
export type TrackIndex = {
  /**
   * Asks in one call which recordings have a point already. The key of each entry is an ISRC as given.
   *
   * @throws when the index does not answer in time, or answers anything but 200
   */
  checkTracksExist: (isrcs: string[]) => Promise<Map<string, boolean>>;
};

/**
 * The client names an undici that waits a millisecond before each call on an idle connection (7.29,
 * `scheduleIdleSocketValidation`), so package.json overrides it with a newer one of the same major version. To be
 * taken out when the client (1.19) names 7.30 or later by itself.
 */
export function createTrackIndex({ url, apiKey, collection, timeoutMs }: TrackIndexOptions): TrackIndex {
  const client = new QdrantClient({
    ...addressOf(url),
    // As `apiKey` it makes the client print a line of its own, not of the log, where the address is http://.
    ...(apiKey === undefined ? {} : { headers: { 'api-key': apiKey } }),
    timeout: timeoutMs,
    checkCompatibility: false,
  });
  return {
    async checkTracksExist(isrcs) {
      const ids = isrcs.map(hashIsrcToUuid);
      // The client's own time limit ends with the answer's head; a body that never ends must not hold a batch.
      const points = await within(
        timeoutMs,
        client.retrieve(collection, { ids, with_payload: false, with_vector: false }),
        () => new Error(`Qdrant did not answer within ${timeoutMs} ms`),
      );
      const found = new Set(points.map(point => point.id));
      return new Map(isrcs.map((isrc, index) => [isrc, found.has(ids[index] as string)]));
    },
  };
}

/**
 * The client drops a path in `url` and gives `https://host` the port 6333, so each part is passed by itself.
 */
function addressOf(url: string) {
  const { protocol, hostname, port, pathname } = new URL(url);
  return {
    host: hostname,
    https: protocol === 'https:',
    port: port ? Number(port) : protocol === 'https:' ? 443 : 80,
    ...(pathname === '/' ? {} : { prefix: pathname.replace(/\/+$/, '') }),
  };
}
