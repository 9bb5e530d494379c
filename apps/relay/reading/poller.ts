/** The shortest wait between two polls, right after there was work. */
const quickestPollMs = 20;

/**
 * What ends the wait of an idle relay: a hint, or the next poll. Hints can get lost, so the poll is the truth;
 * a relay without hints is slower, never wrong. Polls start quick after work and double up to the interval,
 * each stretched by up to a quarter at random, so that relays do not poll in step.
 */
export class Poller {
  #pollIntervalMs: number;
  #pollMs: number;
  #hinted = false;
  /** Ends the wait that is under way. */
  #wake: (() => void) | undefined;

  constructor({ pollIntervalMs }: { pollIntervalMs: number }) {
    this.#pollIntervalMs = pollIntervalMs;
    this.#pollMs = pollIntervalMs;
  }

  /** Somebody has committed rows. */
  hint(): void {
    this.#hinted = true;
    this.#wake?.();
  }

  /** There was work: poll quickly for a while. */
  busy(): void {
    this.#pollMs = Math.min(quickestPollMs, this.#pollIntervalMs);
  }

  /** Resolves at a hint, at one that came since the last call, at the next poll, or when the signal ends. */
  async next(signal: AbortSignal): Promise<void> {
    if (!this.#hinted && !signal.aborted) {
      await this.#wait(this.#pollMs * (1 + Math.random() / 4), signal);
      if (!this.#hinted) this.#pollMs = Math.min(this.#pollIntervalMs, this.#pollMs * 2);
    }
    this.#hinted = false;
  }

  /** Without a signal of its own, which took 4 % of the relay's CPU at 200 additions a second. */
  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve: wake } = Promise.withResolvers<unknown>();
    const timer = setTimeout(wake, ms);
    signal.addEventListener('abort', wake);
    this.#wake = () => wake(undefined);
    await promise;
    this.#wake = undefined;
    signal.removeEventListener('abort', wake);
    clearTimeout(timer);
  }
}
