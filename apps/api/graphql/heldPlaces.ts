import type { FastifyReply, FastifyRequest } from 'fastify';
import { type RequestTime, within } from '../http/deadline.ts';
import { Refusal } from '../http/refusal.ts';
import { userOf } from '../http/user.ts';
import { type AnswerSlots, type Place, refusalOfLine } from './answerSlots.ts';
import type { QueryRefusal } from './queryRefusal.ts';

/** For as long a client that reads its answer slowly keeps the place from others. */
const longestTakingMs = 5_000;

/** The places among the large answers that one request holds. */
export class HeldPlaces {
  readonly #request: FastifyRequest;
  readonly #time: RequestTime;
  readonly #places: Place[] = [];
  #overdue: NodeJS.Timeout | undefined;

  constructor(request: FastifyRequest, time: RequestTime) {
    this.#request = request;
    this.#time = time;
  }

  /**
   * Waits for a place.
   *
   * @throws QueryRefusal `RATE_LIMITED` when too many wait already, or when the request's time is over
   */
  async take(slots: AnswerSlots, cost: number): Promise<void> {
    const place = slots.take(userOf(this.#request), cost);
    this.#places.push(place);
    // Whatever becomes of the request: nothing is made of it when its time is over.
    this.#overdue ??= setTimeout(() => this.#leave(), this.#time.limitMs + longestTakingMs).unref();
    try {
      await within(this.#time, place.entered, () => stillInLine(this.#time));
      this.demandClient();
    } catch (error) {
      place.leave();
      throw error;
    }
  }

  /**
   * Nothing is made for a client that has gone: whoever asks and goes at once would have it made all the same, with no
   * place to wait for.
   *
   * @throws Refusal
   */
  demandClient(): void {
    if (this.#request.raw.socket?.destroyed) {
      throw new Refusal('REQUEST_TIMEOUT', 503, 'The client has gone.');
    }
  }

  /** Gives the places back when the client has its answer; and ends the connection of one that never takes it. */
  leaveAfter({ raw }: FastifyReply): void {
    if (this.#places.length === 0) return;
    const slow = setTimeout(() => this.#leave(), longestTakingMs);
    const endless = setTimeout(() => raw.destroy(), this.#time.limitMs);
    const end = () => {
      clearTimeout(slow);
      clearTimeout(endless);
      this.#leave();
    };
    if (raw.destroyed) end();
    else raw.once('finish', end).once('close', end);
  }

  #leave(): void {
    clearTimeout(this.#overdue);
    for (const place of this.#places) place.leave();
  }
}

/** No failure of ours: nothing was begun, and the queries before it were mostly of the same user. */
export function stillInLine({ limitMs }: RequestTime): QueryRefusal {
  return refusalOfLine(`This waited ${limitMs} ms behind other queries.`);
}
