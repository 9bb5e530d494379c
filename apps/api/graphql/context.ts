import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import type { FastifyRequest } from 'fastify';
import type { Database } from '../database.ts';
import { demandTime, overdue, type RequestTime, requestTime, within } from '../http/deadline.ts';
import type { Limits } from '../http/limits.ts';
import type { OutageGuard } from '../http/outageGuard.ts';
import type { Refusal } from '../http/refusal.ts';
import { userOf } from '../http/user.ts';
import { type AlbumIngestion, readAlbumIngestions } from '../ingestion/albumIngestion.ts';
import { batched } from '../ingestion/batched.ts';
import { createStatusLookup, readIngestions, type StatusLookup } from '../ingestion/status.ts';
import { countListedTracks, readListings } from '../library/listings.ts';
import {
  countItemsOf,
  countRecordingsOf,
  type ItemCounts,
  type RecordingCounts,
} from '../library/summary.ts';
import type { AnswerSlots } from './answerSlots.ts';
import { HeldPlaces, stillInLine } from './heldPlaces.ts';
import { lineUntilFailure } from './lineUntilFailure.ts';
import { Listings } from './listings.ts';
import { once } from './once.ts';
import type { ReadingLines } from './readingLines.ts';

declare module 'mercurius' {
  interface MercuriusContext extends RequestContext {}
}

/** What resolvers know of the request that they answer. */
export type RequestContext = {
  readonly userId: string;
  time: RequestTime;
  statusOf: StatusLookup;
  listings: Listings;
  places: HeldPlaces;
  /** By the album's id. */
  albumIngestionOf(albumId: string): Promise<AlbumIngestion>;
  /** Runs what asks the outside no longer than the request may take, and not while the database is known to be away. */
  bounded: Bounded;
  /**
   * The same for what only reads: a few at a time, and nothing for a client that has gone. A read whose time ends in the
   * line is `RATE_LIMITED`.
   */
  reading: Bounded;
  /** Of the user's whole library; read once a request, however often they are asked for. */
  library: { items: () => Promise<ItemCounts>; recordings: () => Promise<RecordingCounts> };
  /** For the log: why the status of recordings cannot be told. Said once a request, however many they are. */
  noteUnknownStatus(error: unknown): void;
};

type Bounded = <Result>(work: () => Promise<Result>) => Promise<Result>;

export function createContext(
  request: FastifyRequest,
  {
    database,
    guard,
    logger,
    limits,
    largeListings,
    readingLines,
  }: {
    database: Database;
    guard: OutageGuard;
    logger: Logger;
    limits: Limits;
    /** Places for answers with long listings of albums. */
    largeListings: AnswerSlots;
    readingLines: ReadingLines;
  },
): RequestContext {
  const time = requestTime(limits.requestTimeoutMs, limits.catalogBudgetMs);
  const bounded = <Result>(work: () => Promise<Result>, late?: () => Refusal) =>
    guard.run(() => within(time, work(), late));
  const places = new HeldPlaces(request, time);
  const reading: Bounded = work => {
    let isInLine = true;
    const read = () =>
      readingLines.run(userOf(request), () => {
        isInLine = false;
        demandTime(time);
        places.demandClient();
        return work();
      });
    return bounded(read, () => (isInLine ? stillInLine(time) : overdue(time)));
  };
  let noted = false;
  // One after the other: an answer that is made in turns asks in each, and would take all connections of the pool.
  const statuses = lineUntilFailure();
  const listings = new Listings(
    {
      count: ids => reading(() => countListedTracks(database, ids)),
      read: ids => reading(() => readListings(database, ids)),
      enter: cost => places.take(largeListings, cost),
    },
    limits.listingComplexity,
  );
  return {
    // Asked for when it is needed: a context is made as well for a request that failed before it had a user.
    get userId() {
      return userOf(request);
    },
    time,
    bounded,
    reading,
    listings,
    places,
    statusOf: createStatusLookup(requests =>
      statuses(() => reading(() => readIngestions(database, requests))),
    ),
    albumIngestionOf: batched(
      ids => reading(() => readAlbumIngestions(database, ids)),
      id => id,
    ),
    library: {
      items: once(() => reading(() => countItemsOf(database, userOf(request)))),
      recordings: once(() => reading(() => countRecordingsOf(database, userOf(request)))),
    },
    noteUnknownStatus(error) {
      if (noted) return;
      noted = true;
      logger.error(
        { event: 'ingestion_status_unknown', requestId: request.id, error: reasonOf(error) },
        'isIndexed is false: the status of recordings cannot be read',
      );
    },
  };
}
