/** Requests begin within one turn of the event loop for as long. Most take less than a millisecond. */
const turnMs = 5;

/**
 * Lets requests begin in turns of the event loop, one of each user after the other.
 *
 * Reading and validating a request can take 40 ms of the one thread that there is. Node begins all that have come in in
 * one turn: fifty of one user kept everybody else for seconds, once for each step of their own requests. Here a request
 * waits for one of each other user at the most, and what is under way goes on between those that take long to begin.
 */
export class FairTurns {
  /** Requests that wait, by user. The first user is the next. */
  readonly #lines = new Map<string, (() => void)[]>();
  readonly #now: () => number;
  #isDue = false;

  /** @param now milliseconds that only ever rise */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Resolves in the turn in which the request may begin. */
  take(userId: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const line = this.#lines.get(userId);
    if (line === undefined) this.#lines.set(userId, [resolve]);
    else line.push(resolve);
    this.#turnSoon();
    return promise;
  }

  #turnSoon(): void {
    if (this.#isDue || this.#lines.size === 0) return;
    this.#isDue = true;
    setImmediate(() => this.#beginNext(this.#now() + turnMs));
  }

  #beginNext(endsAt: number): void {
    for (const [userId, line] of this.#lines) {
      this.#lines.delete(userId);
      const begin = line.shift();
      if (line.length > 0) this.#lines.set(userId, line);
      begin?.();
      // When all that the request does at once is done: that runs in microtasks, and this after them.
      queueMicrotask(() => process.nextTick(() => this.#goOn(endsAt)));
      return;
    }
    this.#isDue = false;
  }

  #goOn(endsAt: number): void {
    if (this.#now() < endsAt) {
      this.#beginNext(endsAt);
      return;
    }
    this.#isDue = false;
    this.#turnSoon();
  }
}
