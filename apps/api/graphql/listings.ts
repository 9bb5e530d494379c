import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ListedTrack } from '@segue/database/schema/tables.ts';
import { Refusal } from '../http/refusal.ts';
import { QueryRefusal } from './queryRefusal.ts';

/** A listing that a field of the answer is to hold. */
type Ask = {
  albumId: string;
  /** What each of its tracks costs, with all that is selected of it. */
  costOfTrack: number;
  /** Where it is at hand, as after an addition. */
  known: ListedTrack[] | undefined;
  tracks: number;
  answer(listing: ListedTrack[]): void;
  fail(reason: unknown): void;
};

type Sources = {
  /** How many tracks albums have, by their ids. */
  count(albumIds: string[]): Promise<Map<string, number>>;
  read(albumIds: string[]): Promise<Map<string, ListedTrack[]>>;
  /** Waits until a query with listings of this cost may be answered. */
  enter(cost: number): Promise<void>;
};

/**
 * What is made of listings in one turn of the event loop: 500 tracks with most of their fields, or 2,000 titles. It takes
 * some 10 ms.
 */
const costOfTurn = 5_000;

/**
 * The listings of albums that one request asks for, under whatever aliases and in whatever lists.
 *
 * ```
 *  pages of albums are read ──▶ fields ask for listings ──▶ tracks are counted ──▶ refused
 *           ▲ (others)                                            │
 *           └──────────────────── waits for all of them           ▼
 *                                                    listings are read and answered, a part in each turn
 * ```
 *
 * An album has a dozen tracks or three hundred, which no query says. So what the whole answer would hold is counted
 * before any listing is read; an answer within the limit is made in turns, so that others have theirs.
 */
export class Listings {
  readonly #sources: Sources;
  readonly #limit: number;
  #cost = 0;
  #pages = 0;
  #asks: Ask[] = [];
  #last: Promise<void> = Promise.resolve();
  /** Once a request: one that holds a place and waits for another could wait for itself. */
  #entered: Promise<void> | undefined;

  /** @param limit of the cost of all listings of the request */
  constructor(sources: Sources, limit: number) {
    this.#sources = sources;
    this.#limit = limit;
  }

  /** Reads albums whose listings may be asked for: none is read meanwhile. */
  async behind<Result>(page: () => Promise<Result>): Promise<Result> {
    this.#pages++;
    try {
      return await page();
    } finally {
      this.#pages--;
      this.#serveSoon();
    }
  }

  /**
   * The listing of an album; empty when the album is gone meanwhile.
   *
   * @throws Refusal `QUERY_TOO_COSTLY` for each listing when all of them cost more than may be
   */
  of(albumId: string, costOfTrack: number, known?: ListedTrack[]): Promise<ListedTrack[]> {
    const { promise, resolve: answer, reject: fail } = Promise.withResolvers<ListedTrack[]>();
    this.#asks.push({ albumId, costOfTrack, known, tracks: known?.length ?? 0, answer, fail });
    this.#serveSoon();
    return promise;
  }

  /** In the next turn: the fields of a page that was just read ask within this one. */
  #serveSoon(): void {
    setImmediate(() => {
      if (this.#pages > 0 || this.#asks.length === 0) return;
      const asks = this.#asks;
      this.#asks = [];
      this.#last = this.#last.then(() => this.#serve(asks));
    });
  }

  async #serve(asks: Ask[]): Promise<void> {
    try {
      await this.#admit(asks);
      for (const turn of turnsOf(asks)) {
        const listings = await this.#sources.read(unknownOf(turn));
        for (const { known, albumId, answer } of turn) answer(known ?? listings.get(albumId) ?? []);
        // Node takes all that is ready in one turn: what the fields have to look up goes out before the next part.
        await nextTurn();
      }
    } catch (error) {
      for (const { fail } of asks) fail(error);
    }
  }

  /** @throws Refusal when the request has asked for more than may be */
  async #admit(asks: Ask[]): Promise<void> {
    const counts = await this.#sources.count(unknownOf(asks));
    for (const ask of asks) {
      ask.tracks = ask.known?.length ?? counts.get(ask.albumId) ?? 0;
      this.#cost += ask.tracks * ask.costOfTrack;
    }
    if (this.#cost > this.#limit) throw tooCostly(asks, this.#cost, this.#limit);
    // What was added is answered at once: TIDAL's pace bounds it, and the addition is made.
    if (asks.some(({ known }) => known === undefined)) this.#entered ??= this.#sources.enter(this.#cost);
    await this.#entered;
  }
}

function unknownOf(asks: Ask[]): string[] {
  return [...new Set(asks.filter(({ known }) => known === undefined).map(({ albumId }) => albumId))];
}

/** Parts that one turn can make. The same album under several aliases is mostly in one of them, and read once. */
function* turnsOf(asks: Ask[]): Generator<Ask[]> {
  const byAlbum = Map.groupBy(asks, ({ albumId }) => albumId);
  let turn: Ask[] = [];
  let cost = 0;
  for (const ask of [...byAlbum.values()].flat()) {
    turn.push(ask);
    cost += ask.tracks * ask.costOfTrack;
    if (cost < costOfTurn) continue;
    yield turn;
    turn = [];
    cost = 0;
  }
  if (turn.length > 0) yield turn;
}

/** What was added stays added: of an addition its answer alone is refused. */
function tooCostly(asks: Ask[], actual: number, limit: number): Refusal {
  const tracks = asks.reduce((sum, ask) => sum + ask.tracks, 0);
  const problem = `with what is asked of their ${tracks} tracks, the cost of the listings is ${actual}, and may be ${limit}`;
  const details = { actual, limit };
  if (asks.some(({ known }) => known !== undefined)) {
    const message = `The albums are in the library, and the answer cannot hold their listings: ${problem}. Ask for them with getLibraryAlbum.`;
    return new Refusal('QUERY_TOO_COSTLY', 400, message, details);
  }
  const message = `The query asks for too much: ${problem}. Ask for fewer albums at a time.`;
  return new QueryRefusal('QUERY_TOO_COSTLY', 400, message, details);
}
