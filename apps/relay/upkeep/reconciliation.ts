import { randomUUID } from 'node:crypto';
import type { Sql } from '@segue/database/connection.ts';
import { confirmIndexed, readUnconfirmed, type Unconfirmed } from '@segue/outbox/confirm.ts';
import {
  holdReconciliation,
  lostAtOnce,
  notePause,
  type Pause,
  type Reconciliation,
  readOverdue,
  readSeen,
  releaseReconciliation,
  type SeenPage,
  type SentRecording,
  sendAnew,
} from '@segue/outbox/reconcile.ts';
import { pause } from '@segue/process/pause.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import type { TrackIndex } from '@segue/track-index/trackIndex.ts';
import type { Breaker } from '../guards/breaker.ts';
import { Evidence } from './evidence.ts';

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
  /** Between two looks for the recordings that were sent last, while some are expected, in ms. */
  everyMs: number;
  /** Between two looks while nothing is expected. */
  idleEveryMs: number;
  /** Between two looks for all that were sent and not seen, which also find what is lost. */
  wholeEveryMs: number;
  /** What was sent later than so many ms ago is not asked for yet. */
  youngestMs: number;
  /** Is told of what was done. */
  onReconciled: (reconciliation: Reconciliation) => void;
};

/** A relay that is gone is followed by another after this time. */
const leaseMs = 30_000;
const renewedEveryMs = 10_000;
/** Between two pages of 500 requests: a history of a million is read in some minutes, and holds nothing up. */
const betweenPagesMs = 100;
/** Overdue recordings that one look works on, the oldest. They are worked off by the minute, and the next look finds the rest. */
const overdueAtMost = 1_000;

type Unavailable = { unavailable: Pause };

/**
 * Looks for what was sent, one relay at a time: notes what has reached the index, which is how `SCHEDULED` becomes
 * `INDEXED`, and sends anew what is lost (rule R12).
 *
 *     wait ─▶ take the turn ─▶ look for the newest page, or for all that is not seen yet; note what has arrived
 *      ▲                         │ all was looked for, and something is overdue
 *      │                         ▼
 *      └── send anew, or pause ◀─ gather evidence: is it a loss or a standstill?
 *
 * All are looked for, however long ago they were sent: at ten runs a minute, the worker takes a week for 100,000.
 */
export class IndexReconciliation {
  readonly name = 'reconciliation';
  readonly #options: ReconciliationOptions;
  readonly #holder = randomUUID();
  readonly #stopping = new AbortController();
  #renewedAt = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #lookedForAllAt = Number.NEGATIVE_INFINITY;
  /** When this relay sent something last. */
  #sentAt = Number.NEGATIVE_INFINITY;
  /** Whether the last look found something that is not seen yet. */
  #isWaiting = true;
  #running: Promise<void> | undefined;
  #paused: Pause | null = null;
  /** What the database has noted, as far as this relay knows. */
  #noted: Pause['cause'] | null | undefined;

  constructor(options: ReconciliationOptions) {
    this.#options = options;
  }

  /** Why nothing is sent anew, when it is this relay's turn; null otherwise, and while all is well. */
  get paused(): Pause | null {
    return this.#paused;
  }

  /** Something was sent, and is soon looked for. */
  sent(): void {
    this.#sentAt = performance.now();
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
    const { everyMs, idleEveryMs, wholeEveryMs, logger } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await pause(everyMs, signal);
      const now = performance.now();
      if (signal.aborted || (!this.#isExpecting && now - this.#lookedAt < idleEveryMs)) continue;
      const isWhole = now - this.#lookedForAllAt >= wholeEveryMs;
      this.#lookedAt = now;
      if (isWhole) this.#lookedForAllAt = now;
      try {
        await this.#round(isWhole);
      } catch (error) {
        // Of the looks between, nobody needs to know: all is looked for soon.
        if (!isWhole) continue;
        logger.warn(
          { event: 'reconciliation_failed', error: reasonOf(error) },
          'what was sent was not compared with the index; tried again with the next round',
        );
      }
    }
  }

  get #isExpecting(): boolean {
    // The last look was too early for what was sent just before it.
    return this.#isWaiting || this.#sentAt > this.#lookedAt - this.#options.youngestMs;
  }

  async #round(isWhole: boolean): Promise<void> {
    if (!(await this.#holds())) {
      this.#isWaiting = false;
      this.#paused = null;
      this.#noted = undefined;
      return;
    }
    const overdue = await this.#look(isWhole);
    if (!isWhole || overdue === null) return;
    if ('unavailable' in overdue) return this.#note(overdue.unavailable);
    if (overdue.length === 0) return this.#note(null);
    const judged = await this.#judge(overdue);
    if (judged === null) return;
    if ('unavailable' in judged) return this.#note(judged.unavailable);
    await this.#note((await this.#sendAnew(judged.lost)) ?? judged.pause);
  }

  /**
   * Looks for what was sent and not seen, and notes what has arrived.
   *
   * @returns what should have arrived long ago, the oldest first; null when it was broken off
   */
  async #look(isWhole: boolean): Promise<SentRecording[] | Unavailable | null> {
    const { sql, youngestMs, afterMs } = this.#options;
    let overdue: SentRecording[] = [];
    let after: Unconfirmed['last'] = null;
    for (let page = 1; page === 1 || (isWhole && after !== null); page++) {
      if (this.#stopping.signal.aborted || !(await this.#holds())) return null;
      const unconfirmed: Unconfirmed = await readUnconfirmed(sql, { youngestMs, overdueMs: afterMs, after });
      after = unconfirmed.last;
      const { recordings } = unconfirmed;
      if (page === 1) this.#isWaiting = recordings.length > 0;
      if (recordings.length === 0) break;
      const asked = await this.#ask(recordings.map(({ isrc }) => isrc));
      if ('unavailable' in asked) return asked;
      const isThere = ({ isrc }: { isrc: string }) => asked.exists.get(isrc) === true;
      const arrived = recordings.filter(isThere).map(({ isrc }) => isrc);
      if (arrived.length > 0) await confirmIndexed(sql, arrived);
      const missing = recordings.filter(recording => recording.isOverdue && !isThere(recording));
      // Between the looks for all, nothing is sent anew.
      if (!isWhole || missing.length === 0) continue;
      // Each page by itself: thousands that have failed for good, or whose requests are gone, crowd nobody out.
      const late = await readOverdue(
        sql,
        missing.map(({ isrc }) => isrc),
        { afterMs },
      );
      overdue = [...late, ...overdue].slice(0, overdueAtMost);
    }
    return overdue;
  }

  /** @returns which recordings are lost, or why nothing can be said; null when it was broken off */
  async #judge(overdue: SentRecording[]): Promise<ReturnType<Evidence['judge']> | Unavailable | null> {
    const evidence = new Evidence();
    for (let before: string | null = null, first = true; first || before !== null; first = false) {
      if (this.#stopping.signal.aborted || !(await this.#holds())) return null;
      const page: SeenPage = await readSeen(this.#options.sql, { before });
      before = page.before;
      const asked = page.sample.length === 0 ? { exists: new Map() } : await this.#ask(page.sample);
      if ('unavailable' in asked) return asked;
      evidence.add(page, asked.exists);
      if (before !== null) await pause(betweenPagesMs, this.#stopping.signal);
    }
    return evidence.judge(overdue);
  }

  /**
   * Sends the first of the lost recordings anew, those that have not arrived meanwhile.
   *
   * @returns why it does not; null when it does, or when there is nothing to send
   */
  async #sendAnew(lost: SentRecording[]): Promise<Pause | null> {
    const { sql, afterMs, limit, perMinute } = this.#options;
    if (lost.length === 0 || perMinute === 0) return null;
    const first = lost.slice(0, lostAtOnce);
    const asked = await this.#ask(first.map(({ isrc }) => isrc));
    if ('unavailable' in asked) return asked.unavailable;
    const stillLost = first.filter(({ isrc }) => asked.exists.get(isrc) === false);
    if (stillLost.length > 0) {
      this.#tell(await sendAnew(sql, stillLost, { holder: this.#holder, afterMs, limit, perMinute }));
    }
    return null;
  }

  /** Whether it is this relay's turn; asked of the database now and then. */
  async #holds(): Promise<boolean> {
    const now = performance.now();
    if (now - this.#renewedAt < renewedEveryMs) return true;
    const held = await holdReconciliation(this.#options.sql, { holder: this.#holder, leaseMs });
    this.#renewedAt = held ? now : Number.NEGATIVE_INFINITY;
    return held;
  }

  /**
   * Asks, and is the probe where one is due. Whether the index is away is for the rows to find out: a failure here alone
   * opens no breaker, and lets no row pass unasked.
   */
  async #ask(isrcs: string[]): Promise<{ exists: Map<string, boolean> } | Unavailable> {
    const { index, indexBreaker } = this.#options;
    const unavailable = (why: string): Unavailable => ({
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
    const cause = pause?.cause ?? null;
    this.#paused = pause;
    if (cause === this.#noted) return;
    const isNews = await notePause(sql, this.#holder, pause);
    this.#noted = cause;
    if (!isNews) return;
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
