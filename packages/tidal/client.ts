import { getAlbum } from './albums/album.ts';
import { continueAlbumListing, getAlbumListing, type ListingQuestions } from './albums/albumListing.ts';
import { fetchListingPage } from './albums/listingPage.ts';
import type { AlbumListing, CatalogAlbum, CatalogTrack, ListingPart, OwedListing } from './catalog.ts';
import { createTidalApi } from './http/api.ts';
import { type Clock, systemClock } from './http/clock.ts';
import { TidalApiError } from './http/error.ts';
import { createLimiter, type Urgency } from './http/limiter.ts';
import type { ObservedRequest } from './http/observation.ts';
import { createPace } from './http/pace.ts';
import { type Asking, createRequests } from './http/request.ts';
import { createTokenSource } from './http/token.ts';
import { createLookup } from './lookup.ts';
import { getTrack } from './tracks/track.ts';
import { fetchTrackIsrcs, type TrackIsrcs } from './tracks/trackIsrcs.ts';
import { fetchTracks } from './tracks/tracks.ts';
import { fetchTracksById } from './tracks/tracksById.ts';

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
  /** For one call of the client with all of its requests, retries and waits, in ms, at the most. */
  totalTimeoutMs?: number | undefined;
  /** Requests to TIDAL in flight at the most. */
  maxConcurrency?: number | undefined;
  /** Requests to TIDAL a second at the most; as many as TIDAL takes when undefined. */
  requestsPerSecond?: number | undefined;
  clock?: Clock | undefined;
  /** Is told of each request to TIDAL: for metrics. */
  onRequest?: ((request: ObservedRequest) => void) | undefined;
};

/**
 * How many recordings, alone, on albums and in listings, are remembered, and for how long. An album that a
 * friend recommends is asked for by many in the same minute; some 500 bytes each make 5 MB.
 */
const rememberedRecordings = 10_000;
const rememberedMs = 30_000;
/** A page of a listing is remembered as it came, with some 1,500 bytes a track. */
const sizeOfListed = 3;

/** How long a call may take, and whether a person waits for it. */
export type CallOptions = {
  /** On the client's clock, which is `performance.now()`; `totalTimeoutMs` from now at the latest. */
  deadline?: number | undefined;
  /** Nobody waits: everything that somebody waits for goes before it. */
  background?: boolean | undefined;
};

/**
 * What is asked of TIDAL. Every method ends at its deadline, and throws TidalApiError unless it says otherwise.
 *
 * Who asks for the same track, album or part of a listing at the same time shares one answer, and a good answer serves
 * for 30 s. A failure and an unknown id are asked for again. Answers are shared: they must not be changed.
 */
export type TidalClient = {
  /**
   * Null when TIDAL does not know the track, or not in the country. A track that comes without an ISRC is asked for by
   * a list of ids as well, where ISRCs are reliably given.
   */
  getTrack(tidalId: string, options?: CallOptions): Promise<CatalogTrack | null>;
  /**
   * What `getTrack` says of each of the ids, in their order, for a request each 20. One that cannot be read
   * spoils no other. No promise needs to be awaited.
   */
  getTracks(tidalIds: string[], options?: CallOptions): Promise<CatalogTrack | null>[];
  /** The album's own metadata. Null when TIDAL does not know it, or not in the country. */
  getAlbum(tidalId: string, options?: CallOptions): Promise<CatalogAlbum | null>;
  /**
   * The album's tracks with their ISRCs. Never throws for a failure of TIDAL's: what could be read is returned, with a
   * `problem` that says what is missing, and with what is still `owed`.
   *
   * @param expectedItems the album's `numberOfItems`, so that a listing that is short of it is noticed
   */
  getAlbumListing(
    tidalAlbumId: string,
    expectedItems?: number | null,
    options?: CallOptions,
  ): Promise<AlbumListing>;
  /** Asks one more question for what is still owed of a listing. */
  continueAlbumListing(tidalAlbumId: string, owed: OwedListing, options?: CallOptions): Promise<ListingPart>;
  /** The ISRCs of tracks. Never throws for a failure of TIDAL's: it tells of each id why there is no answer. */
  batchFetchTrackIsrcs(tidalIds: string[], countryCode?: string, options?: CallOptions): Promise<TrackIsrcs>;
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
    onRequest,
  } = options;
  const limiter = createLimiter({ maxConcurrency, pace: createPace({ requestsPerSecond, clock }), clock });
  const requests = createRequests({ limiter, timeoutMs, clock, onRequest });
  const tokens = createTokenSource({ authUrl, clientId, clientSecret, requests, totalTimeoutMs, clock });
  const api = createTidalApi(apiUrl, requests, tokens);
  const lookup = createLookup({ maxSize: rememberedRecordings, keepMs: rememberedMs, clock });

  function askingFor(urgency: Urgency, { deadline, background = false }: CallOptions): Asking {
    return {
      deadline: Math.min(deadline ?? Number.POSITIVE_INFINITY, clock.now() + totalTimeoutMs),
      urgency: background ? 'background' : urgency,
    };
  }

  function find<Answer extends object | null>(
    key: string,
    { urgency, deadline }: Asking,
    ask: () => Promise<Answer>,
    sizeOf: (answer: NonNullable<Answer>) => number | null,
  ): Promise<Answer> {
    return lookup.find(key, ask, sizeOf, {
      lane: urgency === 'background' ? 'background ' : '',
      mayAskAgain: error => error instanceof TidalApiError && error.retryable && clock.now() < deadline,
    });
  }

  const findTrack = (tidalId: string, asking: Asking, ask: () => Promise<CatalogTrack | null>) =>
    find(`track ${tidalId}`, asking, ask, track => (track.isrcOwed ? null : 1));

  const listing: ListingQuestions = {
    page: (question, asking) =>
      find(
        `page ${question.albumId} ${JSON.stringify(question.page)}`,
        asking,
        () => fetchListingPage(api, { ...question, countryCode }, asking),
        ({ items, next }) => (next === 'unreadable' ? null : 1 + items.length * sizeOfListed),
      ),
    tracks: (ids, asking) =>
      find(
        `listed ${ids.join()}`,
        asking,
        () => fetchTracksById(api, { ids, countryCode, include: 'artists', subject: 'tracks' }, asking),
        answers => (holdsFailure(answers) ? null : ids.length * sizeOfListed),
      ),
  };

  async function getTrackWithIsrc(tidalId: string, asking: Asking): Promise<CatalogTrack | null> {
    const track = await getTrack(api, tidalId, countryCode, asking);
    if (track === null || track.isrc !== null) return track;
    const { isrcs, failures } = await fetchTrackIsrcs(api, [tidalId], countryCode, asking);
    return { ...track, isrc: isrcs.get(tidalId) ?? null, isrcOwed: failures.size > 0 };
  }

  return {
    getTrack(tidalId, call = {}) {
      const asking = askingFor('item', call);
      return findTrack(tidalId, asking, () => getTrackWithIsrc(tidalId, asking));
    },
    getTracks(tidalIds, call = {}) {
      const asking = askingFor('item', call);
      const fetched = fetchTracks(api, countryCode, asking);
      let begun = false;
      const answers = tidalIds.map(tidalId =>
        findTrack(tidalId, asking, () => (begun ? getTrackWithIsrc(tidalId, asking) : fetched.add(tidalId))),
      );
      fetched.begin();
      begun = true;
      return answers;
    },
    getAlbum(tidalId, call = {}) {
      const asking = askingFor('item', call);
      return find(
        `album ${tidalId}`,
        asking,
        () => getAlbum(api, tidalId, countryCode, asking),
        () => 1,
      );
    },
    getAlbumListing(albumId, expectedItems = null, call = {}) {
      return getAlbumListing(listing, { albumId, countryCode, expectedItems }, askingFor('listing', call));
    },
    continueAlbumListing: (albumId, owed, call = {}) =>
      continueAlbumListing(listing, albumId, owed, askingFor('listing', call)),
    batchFetchTrackIsrcs: (tidalIds, country = countryCode, call = {}) =>
      fetchTrackIsrcs(api, tidalIds, country, askingFor('item', call)),
  };
}

function holdsFailure(answers: Map<string, unknown>): boolean {
  return [...answers.values()].some(answer => answer instanceof TidalApiError);
}
