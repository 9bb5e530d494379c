import type { Logger } from '@segue/telemetry/logger.ts';

const everyMs = 60_000;

/**
 * Tells of tokens that were refused: of the first at once, and of those that follow once a minute, by their number. So
 * somebody who tries many leaves a trace, and does not fill the log.
 */
export class RefusedSignIns {
  readonly #logger: Logger;
  #untold = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(): void {
    this.#untold += 1;
    if (this.#timer === undefined) this.#tell();
  }

  /** Tells of those that are left. */
  stop(): void {
    if (this.#untold > 0) this.#tell();
    clearTimeout(this.#timer);
  }

  #tell(): void {
    const refused = this.#untold;
    this.#untold = 0;
    this.#logger.warn(
      { event: 'console_sign_in_refused', refused },
      `${refused} sign-in${refused === 1 ? '' : 's'} to the console refused: unknown token`,
    );
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#afterMinute(), everyMs).unref();
  }

  #afterMinute(): void {
    this.#timer = undefined;
    if (this.#untold > 0) this.#tell();
  }
}
