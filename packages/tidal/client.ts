import { getAlbum } from './albums/album.ts';
import { getAlbumListing } from './albums/albumListing.ts';
import type { AlbumListing, CatalogAlbum, CatalogTrack } from './catalog.ts';
import { createTidalApi } from './http/api.ts';
import { type Clock, systemClock } from './http/clock.ts';
import { createLimiter } from './http/limiter.ts';
import { createRequests } from './http/request.ts';
import { createTokenSource } from './http/token.ts';
import { createLookup } from './lookup.ts';
import { getTrack } from './tracks/track.ts';
import { fetchTrackIsrcs } from './tracks/trackIsrcs.ts';
import { fetchTracks } from './tracks/tracks.ts';

export type TidalClientOptions = {
  /** Base of the Web API, with `/v2`. */
  apiUrl: string;
  /** The token endpoint. */
  authUrl: string;
  clientId: string;
  clientSecret: string;
  /** ISO 3166-1 alpha-2: whose catalogue is asked. */
  countryCode: string;
  /** For one attempt of one request, in ms. */
  timeoutMs?: number | undefined;
  /** For one call of the client with all of its requests, retries and waits, in ms. */
  totalTimeoutMs?: number | undefined;
  /** Requests to TIDAL in flight at the most. */
  maxConcurrency?: number | undefined;
  /** Requests to TIDAL a second at the most; unlimited when undefined. */
  requestsPerSecond?: number | undefined;
  clock?: Clock | undefined;
};

/**
 * How many recordings, alone, on albums and in listings, are remembered, and for how long. An album that a
 * friend recommends is asked for by many in the same minute; some 500 bytes each make 5 MB.
 */
const rememberedRecordings = 10_000;
const rememberedMs = 30_000;

/**
 * What is asked of TIDAL. Every method ends within `totalTimeoutMs`, and throws TidalApiError unless it says
 * otherwise.
 *
 * Who asks for the same track, album or listing at the same time shares one answer, and a good answer serves
 * for 30 s. A failure, an unknown id and a listing with holes are asked for again. Answers are shared: they
 * must not be changed.
 */
export type TidalClient = {
  /** Null when TIDAL does not know the track, or not in the country. */
  getTrack(tidalId: string): Promise<CatalogTrack | null>;
  /**
   * What `getTrack` says of each of the ids, in their order, for a request each 20. One that cannot be read
   * spoils no other. No promise needs to be awaited.
   */
  getTracks(tidalIds: string[]): Promise<CatalogTrack | null>[];
  /** The album's own metadata. Null when TIDAL does not know it, or not in the country. */
  getAlbum(tidalId: string): Promise<CatalogAlbum | null>;
  /**
   * The album's tracks with their ISRCs. Never throws for a failure of TIDAL's: what could be read is
   * returned, with a `problem` that says what is missing.
   *
   * @param expectedItems the album's `numberOfItems`, so that a listing that is short of it is noticed
   */
  getAlbumListing(tidalAlbumId: string, expectedItems?: number): Promise<AlbumListing>;
  /**
   * The ISRCs of tracks, by TIDAL id, as TIDAL gave them. A track that TIDAL does not know, or has no ISRC
   * for, is absent.
   */
  batchFetchTrackIsrcs(tidalIds: string[], countryCode?: string): Promise<Map<string, string>>;
};

/** A client for TIDAL's Web API v2. It logs nothing, and asks for its first token when first used. */
export function createTidalClient(options: TidalClientOptions): TidalClient {
  const {
    apiUrl,
    authUrl,
    clientId,
    clientSecret,
    countryCode,
    timeoutMs = 5000,
    totalTimeoutMs = 15_000,
    maxConcurrency = 4,
    requestsPerSecond,
    clock = systemClock,
  } = options;
  const limiter = createLimiter({ maxConcurrency, requestsPerSecond, clock });
  const requests = createRequests({ limiter, timeoutMs, clock });
  const tokens = createTokenSource({ authUrl, clientId, clientSecret, requests, totalTimeoutMs, clock });
  const api = createTidalApi(apiUrl, requests, tokens);
  const deadline = () => clock.now() + totalTimeoutMs;

  const lookup = createLookup({ maxSize: rememberedRecordings, keepMs: rememberedMs, clock });
  const track = (tidalId: string, ask: () => Promise<CatalogTrack | null>) =>
    lookup.find(`track ${tidalId}`, ask, () => 1);

  return {
    getTrack: tidalId => track(tidalId, () => getTrack(api, tidalId, countryCode, deadline())),
    getTracks(tidalIds) {
      const fetched = fetchTracks(api, countryCode, deadline());
      const answers = tidalIds.map(tidalId => track(tidalId, () => fetched.add(tidalId)));
      fetched.begin();
      return answers;
    },
    getAlbum: tidalId =>
      lookup.find(
        `album ${tidalId}`,
        () => getAlbum(api, tidalId, countryCode, deadline()),
        () => 1,
      ),
    getAlbumListing: (albumId, expectedItems) =>
      lookup.find(
        `listing ${albumId} of ${expectedItems}`,
        () => getAlbumListing(api, { albumId, expectedItems, countryCode, deadline: deadline() }),
        ({ tracks, problem }) => (problem === null ? 1 + tracks.length : null),
      ),
    async batchFetchTrackIsrcs(tidalIds, country = countryCode) {
      const { isrcs, failures } = await fetchTrackIsrcs(api, tidalIds, country, deadline());
      const [failure] = failures;
      if (failure !== undefined) throw failure;
      return isrcs;
    },
  };
}
