import type { Queryable } from '@segue/database/connection.ts';
import { eventProblem } from '@segue/ingestion/event.ts';
import { type Isrc, type IsrcProblem, readIsrc } from '@segue/ingestion/isrc.ts';
import type { LogFields } from '@segue/ingestion/logEvents.ts';
import type { IngestionRequest } from '@segue/ingestion/request.ts';
import { storeAndEnqueue, storeAndEnqueueAlbum } from '@segue/outbox/enqueue.ts';
import { type AlbumPart, type EnqueuedPart, enqueueAlbumPart } from '@segue/outbox/enqueueAlbumPart.ts';
import { crashPoint } from '@segue/process/crashPoint.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { type Logger, withoutRedaction } from '@segue/telemetry/logger.ts';
import { currentOrigin } from '@segue/telemetry/origin.ts';
import type { PendingQuery, Row } from 'postgres';
import type { IngestionHint } from './hint.ts';

/** A recording as TIDAL gave it, valid or not. */
export type TrackIngestionRequest = {
  isrc: string | null;
  title: string;
  artist: string;
  album: string;
  artworkUrl: string | null;
};

export type AlbumTracksIngestionRequest = { tracks: TrackIngestionRequest[] };

/** Whether one recording is requested (`success`), and if not, why. */
export type TrackSchedulingResult = { trackTitle: string } & (
  | { result: 'success'; isrc: Isrc }
  | { result: 'skipped'; isrc: string | null; reason: IsrcProblem }
  | { result: 'error'; isrc: Isrc; error: string }
);

/** One result a track, in the order of the request; and the album's batch, where these have closed it. */
export type BatchSchedulingResult = { results: TrackSchedulingResult[]; closed?: EnqueuedPart['closed'] };

type Decision = { result: TrackSchedulingResult; request: IngestionRequest | null };

/** What the statement that stores the item returns, and what was scheduled with it. */
export type Stored<Item, Scheduling> = { item: Item; scheduling: Scheduling };

/**
 * The API's way into the outbox. `schedule…` runs the statement that stores the item, and what it requests in the
 * same, so that both commit or neither (rule R2); `announce` comes after the commit, and can neither fail nor
 * delay (rule R10). Rows carry the request that caused them, as `causedBy` in packages/telemetry has it.
 */
export class IngestionScheduler {
  readonly #hint: Pick<IngestionHint, 'give'>;
  readonly #logger: Logger;

  constructor({ hint, logger }: { hint: Pick<IngestionHint, 'give'>; logger: Logger }) {
    this.#hint = hint;
    this.#logger = withoutRedaction(logger);
  }

  /**
   * Stores a track and writes its outbox row; no row where the track is unfit (rule R9).
   *
   * @param storing an INSERT that returns one row, not yet awaited
   * @throws what the database says; nothing for an unfit track
   */
  async scheduleTrack<Item extends Row>(
    db: Queryable,
    request: TrackIngestionRequest,
    storing: PendingQuery<Item[]>,
  ): Promise<Stored<Item, TrackSchedulingResult>> {
    const decision = decide(request);
    const statement =
      decision.request === null ? storing : storeAndEnqueue(db, storing, decision.request, currentOrigin());
    return { item: await commit(statement), scheduling: decision.result };
  }

  /** The same for all tracks of an album. One unfit track spoils no other. */
  async scheduleAlbumTracks<Item extends Row>(
    db: Queryable,
    { tracks }: AlbumTracksIngestionRequest,
    storing: PendingQuery<Item[]>,
  ): Promise<Stored<Item, BatchSchedulingResult>> {
    const decisions = tracks.map(decide);
    const requests = decisions.flatMap(({ request }) => request ?? []);
    const statement =
      requests.length === 0 ? storing : storeAndEnqueueAlbum(db, storing, requests, currentOrigin());
    return { item: await commit(statement), scheduling: { results: decisions.map(({ result }) => result) } };
  }

  /**
   * Requests the tracks of an album that have come now, while others are still owed (rule R11). To be called within the
   * transaction that writes them into the library.
   */
  async scheduleAlbumPart(
    transaction: Queryable,
    { tracks }: AlbumTracksIngestionRequest,
    part: AlbumPart,
  ): Promise<{ batchId: number | null; scheduling: BatchSchedulingResult }> {
    const decisions = tracks.map(decide);
    const requests = decisions.flatMap(({ request }) => request ?? []);
    const { batchId, closed } = await enqueueAlbumPart(transaction, requests, part, currentOrigin());
    return { batchId, scheduling: { results: decisions.map(({ result }) => result), closed } };
  }

  /**
   * Says what was committed, one line a recording, and gives relays a hint.
   *
   * @param durationMs how long the transaction took
   */
  announce(scheduling: TrackSchedulingResult | BatchSchedulingResult, durationMs: number): void {
    crashPoint('after_commit');
    try {
      const album = 'results' in scheduling;
      const results = album ? scheduling.results : [scheduling];
      const context = { duration_ms: Math.round(durationMs), ...(album && { total_tracks: results.length }) };
      for (const result of results) this.#log(result, context);
      if (album && scheduling.closed) this.#logClosed(scheduling.closed);
      crashPoint('before_hint');
      if (results.some(({ result }) => result === 'success')) this.#hint.give();
    } catch (error) {
      this.#logger.debug(
        { event: 'announcement_failed', error: reasonOf(error) },
        'not announced: relays find the rows at their next poll',
      );
    }
  }

  /** The relay says it where it settles the last row; here the last tracks that were owed turned out not to exist. */
  #logClosed({ totalTracks, scheduledCount, skippedCount }: NonNullable<EnqueuedPart['closed']>): void {
    this.#logger.info({
      event: 'album_ingestion_batch',
      total_tracks: totalTracks,
      scheduled_count: scheduledCount,
      skipped_count: skippedCount,
    });
  }

  #log(scheduling: TrackSchedulingResult, context: Pick<LogFields, 'duration_ms' | 'total_tracks'>): void {
    const { result, trackTitle } = scheduling;
    const isrc = scheduling.isrc === null ? {} : { isrc: scheduling.isrc };
    switch (result) {
      case 'success':
        this.#logger.info({ event: 'ingestion_requested', ...isrc, trackTitle, result, ...context });
        break;
      case 'skipped':
        this.#logger.warn({
          event: 'ingestion_skipped',
          ...isrc,
          trackTitle,
          result,
          reason: scheduling.reason,
        });
        break;
      case 'error':
        this.#logger.warn({
          event: 'validation_error',
          ...isrc,
          trackTitle,
          result,
          error: scheduling.error,
        });
    }
  }
}

/** The statement is a transaction of its own. */
async function commit<Item extends Row>(statement: PendingQuery<Item[]>): Promise<Item> {
  statement.execute();
  crashPoint('before_commit');
  const [item] = await statement;
  return item as Item;
}

function decide({ isrc: given, artworkUrl, ...recording }: TrackIngestionRequest): Decision {
  const trackTitle = recording.title;
  const reading = readIsrc(given);
  if ('problem' in reading) {
    return { result: { result: 'skipped', trackTitle, isrc: given, reason: reading.problem }, request: null };
  }
  const { isrc } = reading;
  const request = { ...recording, isrc, ...(artworkUrl !== null && { artworkUrl }) };
  const error = eventProblem({ ...request, priority: 0, force: false });
  if (error !== null) return { result: { result: 'error', trackTitle, isrc, error }, request: null };
  return { result: { result: 'success', trackTitle, isrc }, request };
}
