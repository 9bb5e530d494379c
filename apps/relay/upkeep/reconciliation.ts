import { randomUUID } from 'node:crypto';
import type { Sql } from '@segue/database/connection.ts';
import { confirmIndexed } from '@segue/outbox/confirm.ts';
import {
  holdReconciliation,
  notePause,
  type Pause,
  type Reconciliation,
  readSent,
  releaseReconciliation,
  type SentPage,
  type SentRecording,
  sendAnew,
} from '@segue/outbox/reconcile.ts';
import { pause } from '@segue/process/pause.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import type { TrackIndex } from '@segue/track-index/trackIndex.ts';
import type { Breaker } from '../guards/breaker.ts';
import { Sweep } from './sweep.ts';

export type ReconciliationOptions = {
  sql: Sql;
  index: TrackIndex;
  indexBreaker: Breaker;
  logger: Logger;
  /** How long a recording may take into the index, in ms: longer than Inngest remembers a run (24 hours). */
  afterMs: number;
  /** How often a recording is sent anew before it has failed. */
  limit: number;
  /** Recordings that are sent anew in a minute, by all relays together. 0: none ever. */
  perMinute: number;
  /** Between two sweeps, in ms. */
  everyMs: number;
  /** Is told of what was done. */
  onReconciled: (reconciliation: Reconciliation) => void;
};

/** A relay that is gone is followed by another after this time. */
const leaseMs = 30_000;
const renewedEveryMs = 10_000;
/** Between two pages of 500 requests: a history of a million is compared in some minutes, and holds nothing up. */
const betweenPagesMs = 100;

/**
 * Compares what was sent with the index, as far back as requests are kept (rule R12), one relay at a time:
 *
 *     wait ─▶ take the turn ─▶ sweep: page by page, the newest first; note what has reached the index
 *      ▲                         │
 *      └── send anew, or pause ◀─┘ judge: what is missing and due, and whether it is a loss or a standstill
 */
export class IndexReconciliation {
  readonly name = 'reconciliation';
  readonly #options: ReconciliationOptions;
  readonly #holder = randomUUID();
  readonly #stopping = new AbortController();
  #renewedAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #paused: Pause | null = null;

  constructor(options: ReconciliationOptions) {
    this.#options = options;
  }

  /** Why nothing is sent anew, when it is this relay's turn; null otherwise, and while all is well. */
  get paused(): Pause | null {
    return this.#paused;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Waits for the page under way, and gives the turn to another relay. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    if (this.#renewedAt > Number.NEGATIVE_INFINITY) {
      await releaseReconciliation(this.#options.sql, this.#holder).catch(() => undefined);
    }
  }

  async #run(): Promise<void> {
    const { everyMs, logger } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await pause(everyMs, signal);
      if (signal.aborted) return;
      try {
        await this.#round();
      } catch (error) {
        logger.warn(
          { event: 'reconciliation_failed', error: reasonOf(error) },
          'what was sent was not compared with the index; tried again with the next round',
        );
      }
    }
  }

  async #round(): Promise<void> {
    if (!(await this.#holds({ renew: true }))) {
      this.#paused = null;
      return;
    }
    const compared = await this.#sweep();
    if (compared === null) return;
    let { due, pause } = compared;
    if (due.length > 0 && this.#options.perMinute > 0) {
      const asked = await this.#ask(due.slice(0, 100).map(({ isrc }) => isrc));
      if ('unavailable' in asked) pause = asked.unavailable;
      else due = due.filter(({ isrc }) => asked.exists.get(isrc) === false);
      if (pause === null && due.length > 0)
        this.#tell(await sendAnew(this.#options.sql, due, this.#sendOptions()));
    }
    await this.#note(pause);
  }

  /** @returns null when it was broken off */
  async #sweep(): Promise<{ due: SentRecording[]; pause: Pause | null } | null> {
    const { sql, afterMs } = this.#options;
    const sweep = new Sweep();
    for (let before: string | null = null, first = true; first || before !== null; first = false) {
      if (this.#stopping.signal.aborted || !(await this.#holds())) return null;
      const page: SentPage = await readSent(sql, { before, afterMs });
      before = page.before;
      const isrcs = [...page.unconfirmed.map(({ isrc }) => isrc), ...page.confirmedSample];
      if (isrcs.length > 0) {
        const asked = await this.#ask(isrcs);
        if ('unavailable' in asked) return { due: [], pause: asked.unavailable };
        const arrived = sweep.add(page, asked.exists);
        if (arrived.length > 0) await confirmIndexed(sql, arrived);
      }
      if (before !== null) await pause(betweenPagesMs, this.#stopping.signal);
    }
    return sweep.judge();
  }

  /** Whether it is this relay's turn; asked of the database now and then. */
  async #holds({ renew = false } = {}): Promise<boolean> {
    const now = performance.now();
    if (!renew && now - this.#renewedAt < renewedEveryMs) return true;
    const held = await holdReconciliation(this.#options.sql, { holder: this.#holder, leaseMs });
    if (held) this.#renewedAt = now;
    return held;
  }

  /**
   * Asks, and is the probe where one is due. Whether the index is away is for the rows to find out: a failure here alone
   * opens no breaker, and lets no row pass unasked.
   */
  async #ask(isrcs: string[]): Promise<{ exists: Map<string, boolean> } | { unavailable: Pause }> {
    const { index, indexBreaker } = this.#options;
    const unavailable = (why: string): { unavailable: Pause } => ({
      unavailable: { cause: 'index_unavailable', reason: `the index cannot be asked: ${why}` },
    });
    const { state } = indexBreaker;
    if (state === 'open') return unavailable('it did not answer lately');
    try {
      const exists = await index.checkTracksExist(isrcs);
      indexBreaker.succeeded();
      return { exists };
    } catch (error) {
      if (state === 'probing') indexBreaker.failed();
      return unavailable(reasonOf(error));
    }
  }

  /** Says once that nothing is sent anew, and once that it goes on, whichever relays take turns. */
  async #note(pause: Pause | null): Promise<void> {
    const { sql, logger } = this.#options;
    this.#paused = pause;
    if (!(await notePause(sql, this.#holder, pause))) return;
    if (pause === null)
      logger.info(
        { event: 'reconciliation_resumed' },
        'reconciliation resumed: what is lost is sent anew again',
      );
    else
      logger.warn(
        { event: 'reconciliation_paused', reason: pause.cause },
        `reconciliation paused: ${pause.reason}`,
      );
  }

  #sendOptions() {
    const { afterMs, limit, perMinute } = this.#options;
    return { holder: this.#holder, afterMs, limit, perMinute };
  }

  #tell(reconciliation: Reconciliation): void {
    const { logger, limit, onReconciled } = this.#options;
    for (const { isrc, title, times } of reconciliation.sentAnew) {
      logger.warn(
        { event: 'ingestion_reconciled', isrc, trackTitle: title },
        `sent, and not in the index: requested anew (sending ${times} of ${limit + 1} at the most)`,
      );
    }
    for (const { isrc, title, times } of reconciliation.neverIndexed) {
      const reason = `sent ${times} times, never indexed`;
      logger.error({ event: 'ingestion_never_indexed', isrc, trackTitle: title, result: 'error', reason });
    }
    onReconciled(reconciliation);
  }
}
