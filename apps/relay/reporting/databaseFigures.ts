import type { Sql } from '@segue/database/connection.ts';
import {
  type OutboxFigures,
  readOutboxFigures,
  readStateFigures,
  type StateFigures,
} from '@segue/outbox/operate/figures.ts';
import { pause } from '@segue/process/pause.ts';

const usualEveryMs = 15_000;
const usualShareOfTime = 0.02;

export type DatabaseFiguresOptions = {
  sql: Sql;
  /** Between two readings, in ms. */
  everyMs?: number;
  /** A reading that takes long, since vacuum is held back for example, comes less often: at most so much of the time. */
  shareOfTime?: number;
};

/** What was read last, on `performance.now()`. */
export type Reading = {
  figures: OutboxFigures & StateFigures;
  readAt: number;
  tookMs: number;
};

/**
 * Reads the figures of the outbox in the background, so that no scrape waits for the database or costs it anything.
 * While the database is away, the last figures stay.
 */
export class DatabaseFigures {
  readonly name = 'database figures';
  readonly #sql: Sql;
  readonly #everyMs: number;
  readonly #shareOfTime: number;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #last: Reading | undefined;
  #succeeded: boolean | undefined;

  constructor({ sql, everyMs = usualEveryMs, shareOfTime = usualShareOfTime }: DatabaseFiguresOptions) {
    this.#sql = sql;
    this.#shareOfTime = shareOfTime;
    this.#everyMs = everyMs;
  }

  /** Undefined before the first reading that succeeded. */
  get last(): Reading | undefined {
    return this.#last;
  }

  /** Whether the last reading succeeded. Undefined before the first is done. */
  get succeeded(): boolean | undefined {
    return this.#succeeded;
  }

  /** The database's clock in ms since 1970, as far as is known: before the first reading, that of this machine. */
  get nowMs(): number {
    if (!this.#last) return Date.now();
    return this.#last.figures.nowMs + (performance.now() - this.#last.readAt);
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const began = performance.now();
      this.#succeeded = await this.#read().then(
        () => true,
        () => false,
      );
      const tookMs = performance.now() - began;
      await pause(Math.max(this.#everyMs, tookMs / this.#shareOfTime), signal);
    }
  }

  /** @throws what the database says */
  async #read(): Promise<void> {
    const began = performance.now();
    const outbox = await readOutboxFigures(this.#sql);
    const asked = performance.now();
    const state = await readStateFigures(this.#sql);
    const answered = performance.now();
    this.#last = {
      figures: { ...outbox, ...state },
      // Half way, which is where the database has looked at its clock.
      readAt: (asked + answered) / 2,
      tookMs: answered - began,
    };
  }
}
