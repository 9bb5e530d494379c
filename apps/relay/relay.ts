import { claim } from '@segue/outbox/claim.ts';
import { pause } from '@segue/process/pause.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { type Logger, withoutRedaction } from '@segue/telemetry/logger.ts';
import { type BatchDependencies, relayBatch } from './batch.ts';
import { Frontier } from './claiming/claimCursor.ts';
import type { Wake } from './claiming/poller.ts';
import { Turns } from './turns.ts';

export type RelayOptions = Omit<BatchDependencies, 'turns'> & {
  wake: Wake;
  /** Rows a claim. */
  batchSize: number;
  /** Batches that ask the index or send at the same time. */
  concurrency: number;
  /** How long a row may be overlooked that stands before those claimed last. */
  sweepEveryMs: number;
};

/** Rows in the claim that finds out whether Inngest is back. */
const probeSize = 10;

/** After a failure of the database; the outage of a database that restarts lasts a second or two. */
const databaseRetryMs = 500;

/** Calls under way at a stop may take so long before they are given up; the process has 10 s in all. */
const patienceAtStopMs = 6_000;

/**
 * Drains the outbox: claims while there is something to claim and room for it, and otherwise waits to be
 * woken. One claim at a time; the batches take their turns at the calls, up to `concurrency` at the same time.
 */
export class Relay {
  #options: RelayOptions & BatchDependencies;
  #logger: Logger;
  #frontier: Frontier;
  #stopping = new AbortController();
  #givingUp = new AbortController();
  #underWay = new Set<Promise<void>>();
  #loop: Promise<void> | undefined;

  constructor(options: RelayOptions) {
    this.#options = {
      ...options,
      turns: new Turns(options),
      logger: withoutRedaction(options.logger),
      onSettled: (settled, durationMs) => {
        for (const { rows, delayMs } of settled.released) this.#frontier.handedBack(rows, delayMs);
        options.onSettled?.(settled, durationMs);
      },
    };
    this.#frontier = new Frontier(options);
    this.#logger = options.logger;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Claims no more, waits for the batches under way, and hands back what they cannot finish. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const patience = setTimeout(() => this.#givingUp.abort(), patienceAtStopMs);
    await this.#loop;
    await Promise.all(this.#underWay);
    clearTimeout(patience);
  }

  async #run(): Promise<void> {
    const { inngestBreaker, wake, batchSize, turns } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      if (inngestBreaker.state === 'open') {
        await pause(inngestBreaker.waitMs, signal);
        continue;
      }
      if (this.#underWay.size >= turns.batchesUnderWay) {
        await Promise.race(this.#underWay);
        continue;
      }
      // While it is not known whether Inngest is back, one small batch goes ahead alone.
      const probing = inngestBreaker.state === 'probing';
      if (probing && this.#underWay.size > 0) {
        await Promise.all(this.#underWay);
        continue;
      }
      const claimed = await this.#claimAndRelay(probing ? Math.min(probeSize, batchSize) : batchSize);
      if (claimed === 0) await wake.next(signal);
      else wake.busy();
      if (probing) await Promise.all(this.#underWay);
    }
  }

  /** @returns the number of rows claimed */
  async #claimAndRelay(limit: number): Promise<number> {
    const claimedAt = performance.now();
    try {
      const { sessions, leaseMs } = this.#options;
      const batch = await claim(sessions.claiming, { limit, leaseMs, ...this.#frontier.look(limit) });
      this.#frontier.found(batch.rows, limit);
      if (batch.rows.length > 0) {
        const signals = { stopping: this.#stopping.signal, givingUp: this.#givingUp.signal };
        const work: Promise<void> = relayBatch(batch, claimedAt, signals, this.#options)
          .catch(error => this.#databaseFailed(error))
          .finally(() => this.#underWay.delete(work));
        this.#underWay.add(work);
      }
      return batch.rows.length;
    } catch (error) {
      await this.#databaseFailed(error);
      return 0;
    }
  }

  /** What was claimed is left to its lease: without the database it can be neither settled nor released. */
  async #databaseFailed(error: unknown): Promise<void> {
    this.#logger.error(
      { event: 'database_error', error: reasonOf(error) },
      'the database failed; trying again',
    );
    await pause(databaseRetryMs, this.#stopping.signal);
  }
}
