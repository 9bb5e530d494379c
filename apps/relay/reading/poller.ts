import { once } from 'node:events';
import { pause } from '@segue/process/pause.ts';

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
  #hints = new EventTarget();
  #hinted = false;

  constructor({ pollIntervalMs }: { pollIntervalMs: number }) {
    this.#pollIntervalMs = pollIntervalMs;
    this.#pollMs = pollIntervalMs;
  }

  /** Somebody has committed rows. */
  hint(): void {
    this.#hinted = true;
    this.#hints.dispatchEvent(new Event('hint'));
  }

  /** There was work: poll quickly for a while. */
  busy(): void {
    this.#pollMs = Math.min(quickestPollMs, this.#pollIntervalMs);
  }

  /** Resolves at a hint, at one that came since the last call, at the next poll, or when the signal ends. */
  async next(signal: AbortSignal): Promise<void> {
    if (!this.#hinted) {
      const woken = new AbortController();
      const either = AbortSignal.any([signal, woken.signal]);
      await Promise.race([
        once(this.#hints, 'hint', { signal: either }).catch(() => undefined),
        pause(this.#pollMs * (1 + Math.random() / 4), either),
      ]);
      woken.abort();
      if (!this.#hinted) this.#pollMs = Math.min(this.#pollIntervalMs, this.#pollMs * 2);
    }
    this.#hinted = false;
  }
}
