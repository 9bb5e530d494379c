import type { Sql } from '@segue/database/connection.ts';
import { type Glance, readGlance } from '@segue/outbox/operate/glance.ts';
import { type Rates, readRates } from '@segue/outbox/operate/minutes.ts';
import { type PausedReconciliation, readPausedReconciliation } from '@segue/outbox/operate/reconciliation.ts';
import { pause } from '@segue/process/pause.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Dependency } from './dependencies.ts';
import { readWorkers, type WorkerState } from './workers.ts';

/** How everything stood at one moment. */
export type Snapshot = {
  /** By our own clock, in ms. */
  readAt: number;
  /** Null when the database did not answer. */
  glance: Glance | null;
  rates: Rates | null;
  /** Why what is missing in the index is not sent anew; null: all is well, or nobody knows. */
  reconciliation: PausedReconciliation | null;
  /** Why it did not answer. */
  failure: string | null;
  dependencies: Dependency[];
  /** Null where no worker's address is known. */
  workers: WorkerState[] | null;
};

export type WatchOptions = {
  sql: Sql;
  health: () => Dependency[];
  /** Addresses of workers. */
  workerUrls?: readonly string[];
  /** The shortest time between two readings, in ms. */
  everyMs?: number;
  /** A reading that took a while is followed by so many times that; by default, it takes 5 % of the time at the most. */
  restFactor?: number;
};

const longestRestMs = 60_000;

/**
 * Reads how everything stands, once for all who look: while somebody follows, again and again; else when somebody asks
 * and the last reading is too old.
 */
export class Watch {
  #options: Required<WatchOptions>;
  #followers = new Set<(snapshot: Snapshot) => void>();
  #last: Snapshot | undefined;
  #tookMs = 0;
  #reading: Promise<Snapshot> | undefined;
  #running: Promise<void> | undefined;
  #stopping = new AbortController();
  #databaseSince: { ok: boolean; at: Date | null } | undefined;

  constructor(options: WatchOptions) {
    this.#options = { workerUrls: [], everyMs: 2_000, restFactor: 20, ...options };
  }

  /** The last reading, or a new one where it is older than it may be. */
  async current(): Promise<Snapshot> {
    const last = this.#last;
    if (last && Date.now() - last.readAt < this.#restMs) return last;
    return await this.#read();
  }

  /** Forgets the last reading, since somebody has just changed something. */
  outdated(): void {
    this.#last = undefined;
    this.#tookMs = 0;
  }

  /**
   * Is told of each reading.
   *
   * @returns a function that ends it
   */
  follow(follower: (snapshot: Snapshot) => void): () => void {
    this.#followers.add(follower);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return () => this.#followers.delete(follower);
  }

  get followers(): number {
    return this.#followers.size;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#followers.clear();
    await this.#running;
    await this.#reading?.catch(() => undefined);
  }

  get #restMs(): number {
    const { everyMs, restFactor } = this.#options;
    return Math.max(everyMs, Math.min(longestRestMs, this.#tookMs * restFactor));
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (this.#followers.size > 0 && !signal.aborted) {
      const snapshot = await this.current();
      for (const follower of this.#followers) follower(snapshot);
      // Only from the answer on, so that a slow database is not asked by two at a time.
      await pause(this.#restMs, signal);
    }
  }

  #read(): Promise<Snapshot> {
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readOnce(): Promise<Snapshot> {
    const { sql, health, workerUrls } = this.#options;
    const startedAt = performance.now();
    const database = Promise.all([readGlance(sql), readRates(sql), readPausedReconciliation(sql)]).then(
      ([glance, rates, reconciliation]) => ({ glance, rates, reconciliation, failure: null }),
      error => ({ glance: null, rates: null, reconciliation: null, failure: reasonOf(error) }),
    );
    const [answer, workers] = await Promise.all([
      database.finally(() => {
        this.#tookMs = performance.now() - startedAt;
      }),
      readWorkers(workerUrls),
    ]);
    const dependencies = [this.#database(answer.failure), ...health()];
    this.#last = { readAt: Date.now(), ...answer, dependencies, workers };
    return this.#last;
  }

  #database(failure: string | null): Dependency {
    const ok = failure === null;
    if (this.#databaseSince?.ok !== ok) {
      this.#databaseSince = { ok, at: this.#databaseSince || !ok ? new Date() : null };
    }
    return {
      name: 'PostgreSQL',
      state: ok ? 'ok' : 'unavailable',
      summary: ok ? 'answers' : `does not answer: ${failure}`,
      since: this.#databaseSince.at,
    };
  }
}
