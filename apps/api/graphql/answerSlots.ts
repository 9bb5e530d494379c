import { QueryRefusal } from './queryRefusal.ts';

/** An answer's place, in the line or among those that are made. */
export type Place = {
  /** When the answer may be made. */
  entered: Promise<void>;
  /** Gives the place back; also one in the line. Does nothing the second time. */
  leave(): void;
};

type Waiting = { userId: string; cost: number; enter(): void };

type Capacity = {
  /** Cost of all answers that are made at a time. */
  cost: number;
  /** An answer that costs no more needs no place. */
  small: number;
  /** Answers that wait, of one user and of all. */
  waitingOfUser: number;
  waiting: number;
};

const retryAfterSeconds = 1;

/** Room for two of the largest answers: 20 MB to 60 MB each, of a heap of 192 MB (docs/performance.md). */
export function slotsFor(largestCost: number): AnswerSlots {
  return new AnswerSlots({ cost: 2 * largestCost, small: 2_000, waiting: 200, waitingOfUser: 50 });
}

/**
 * Bounds what large answers take together while they are made: memory, and time of the event loop. Those of one user
 * cost half of all at the most, so that nobody waits for one user alone; others wait in line.
 */
export class AnswerSlots {
  readonly #capacity: Capacity;
  readonly #usedBy = new Map<string, number>();
  readonly #line = new Set<Waiting>();
  #used = 0;

  constructor(capacity: Capacity) {
    this.#capacity = capacity;
  }

  /**
   * @param cost of the answer; one that costs more than there is at all takes what there is for a user
   * @throws QueryRefusal `RATE_LIMITED` when too many wait already
   */
  take(userId: string, answerCost: number): Place {
    if (answerCost <= this.#capacity.small) return { entered: Promise.resolve(), leave() {} };
    const cost = Math.min(answerCost, this.#ofUser);
    this.#demandRoom(userId);
    const { promise: entered, resolve } = Promise.withResolvers<void>();
    let state: 'waiting' | 'entered' | 'left' = 'waiting';
    const waiting: Waiting = {
      userId,
      cost,
      enter: () => {
        state = 'entered';
        this.#count(userId, cost);
        resolve();
      },
    };
    this.#line.add(waiting);
    this.#advance();
    return {
      entered,
      leave: () => {
        if (state === 'entered') this.#count(userId, -cost);
        state = 'left';
        this.#line.delete(waiting);
        this.#advance();
      },
    };
  }

  get #ofUser(): number {
    return this.#capacity.cost / 2;
  }

  /** In the order of the line; who waits for an answer of their own holds up nobody else. */
  #advance(): void {
    for (const waiting of this.#line) {
      const { userId, cost } = waiting;
      if ((this.#usedBy.get(userId) ?? 0) + cost > this.#ofUser) continue;
      if (this.#used + cost > this.#capacity.cost) return;
      this.#line.delete(waiting);
      waiting.enter();
    }
  }

  #count(userId: string, cost: number): void {
    this.#used += cost;
    const used = (this.#usedBy.get(userId) ?? 0) + cost;
    if (used > 0) this.#usedBy.set(userId, used);
    else this.#usedBy.delete(userId);
  }

  #demandRoom(userId: string): void {
    const { waiting, waitingOfUser } = this.#capacity;
    const ofUser = [...this.#line].filter(each => each.userId === userId).length;
    if (this.#line.size < waiting && ofUser < waitingOfUser) return;
    throw refusalOfLine('Too many large queries wait for their turn.');
  }
}

/** @param reason a sentence */
export function refusalOfLine(reason: string): QueryRefusal {
  const message = `${reason} Please try again in ${retryAfterSeconds} s, or ask for less at a time.`;
  return new QueryRefusal('RATE_LIMITED', 429, message, { retryAfterSeconds });
}
