import { pause } from '@segue/process/pause.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/logger.ts';

/**
 * NOTIFY takes a lock on the whole database at commit, so additions share hints: 140 a second at the most, each
 * at most 7 ms late. At 200 additions a second that makes 6.7 ms from commit to arrival; with 10 ms it was 8.3, and with 3
 * the relay took 84 % of a core, and one addition in a hundred 75 ms.
 */
const quietMs = 7;

/**
 * Tells relays that rows were committed. The first hint goes out at once; those asked for while one is under
 * way, or within 7 ms after it, go out as one. A hint that fails is not repeated: relays poll as well.
 */
export class IngestionHint {
  readonly #send: () => Promise<void>;
  readonly #logger: Logger;
  /** Set from a hint until the end of the quiet time after it. */
  #busy: Promise<void> | null = null;
  #askedAgain = false;
  readonly #stopping = new AbortController();

  constructor(send: () => Promise<void>, logger: Logger) {
    this.#send = send;
    this.#logger = logger;
  }

  /** Returns at once and never throws. */
  give(): void {
    this.#askedAgain = true;
    this.#busy ??= this.#sendWhileAsked();
  }

  /** Sends what is still to be sent, at once. */
  async flush(): Promise<void> {
    this.#stopping.abort();
    await this.#busy;
  }

  async #sendWhileAsked(): Promise<void> {
    while (this.#askedAgain) {
      this.#askedAgain = false;
      try {
        await this.#send();
      } catch (error) {
        this.#logger.debug(
          { event: 'hint_failed', error: reasonOf(error) },
          'no hint given: relays find the rows at their next poll',
        );
      }
      await pause(quietMs, this.#stopping.signal);
    }
    this.#busy = null;
  }
}
