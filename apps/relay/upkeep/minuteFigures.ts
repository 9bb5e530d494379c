import type { Sql } from '@segue/database/connection.ts';
import {
  addOutcomes,
  countRequested,
  lagBuckets,
  type Outcomes,
  pruneMinutes,
} from '@segue/outbox/operate/minutes.ts';
import { inBackground } from '@segue/process/background.ts';
import type { Service } from '@segue/process/services.ts';

/** What became of a batch of rows, as far as it is counted. */
type Settled = {
  scheduled: readonly { requestedMs: number }[];
  indexed: readonly unknown[];
  duplicates: readonly unknown[];
  refused: readonly { dead: boolean }[];
};

/** A relay that is killed takes so much of its figures along. */
const everyMs = 5_000;
/** Where there is nothing to say: often enough that no minute is without a sign of life. */
const idleEveryMs = 25_000;
const pruneEveryMs = 3_600_000;

/** Adds what this relay did to the figures of each minute, which all relays share and a restart does not lose. */
export class MinuteFigures {
  #outcomes = noOutcomes();
  /** Whether there is anything in them. */
  #isNews = false;
  /** By how many ms the database's clock is ahead of ours. */
  #clockAheadMs = 0;

  /** Counts what was written down. */
  settled({ scheduled, indexed, duplicates, refused }: Settled): void {
    const outcomes = this.#outcomes;
    this.#isNews = true;
    const dead = refused.filter(refusal => refusal.dead).length;
    outcomes.scheduled += scheduled.length;
    outcomes.alreadyIndexed += indexed.length;
    outcomes.duplicate += duplicates.length;
    outcomes.dead += dead;
    outcomes.refused += refused.length - dead;
    const now = Date.now() + this.#clockAheadMs;
    for (const { requestedMs } of scheduled) {
      const bucket = bucketOf((now - requestedMs) / 1_000);
      outcomes.lag[bucket] = (outcomes.lag[bucket] ?? 0) + 1;
    }
  }

  /** Counts recordings that were sent anew. */
  reconciled(recordings: number): void {
    this.#outcomes.reconciled += recordings;
    this.#isNews = true;
  }

  /**
   * Writes them down every 5 s, or every 25 s where nothing was settled, and the last ones at the stop. Nothing depends on
   * them: a time that fails is made up for by the next.
   */
  service(sql: Sql): Service {
    let prunedAt = Number.NEGATIVE_INFINITY;
    let writtenAt = Number.NEGATIVE_INFINITY;
    const background = inBackground({
      name: 'minute figures',
      everyMs,
      firstAfterMs: 0,
      round: async () => {
        if (!this.#isNews && performance.now() - writtenAt < idleEveryMs) return;
        if (!(await this.#write(sql))) return;
        writtenAt = performance.now();
        if (writtenAt - prunedAt <= pruneEveryMs) return;
        await pruneMinutes(sql);
        prunedAt = performance.now();
      },
      onFailure: () => undefined,
    });
    return {
      ...background,
      stop: async () => {
        await background.stop();
        await this.#write(sql);
      },
    };
  }

  async #write(sql: Sql): Promise<boolean> {
    const outcomes = this.#outcomes;
    this.#outcomes = noOutcomes();
    this.#isNews = false;
    try {
      const { at, hasUncounted } = await addOutcomes(sql, outcomes);
      this.#clockAheadMs = at.getTime() - Date.now();
      if (hasUncounted) await countRequested(sql).catch(() => null);
      return true;
    } catch {
      this.#putBack(outcomes);
      return false;
    }
  }

  #putBack(outcomes: Outcomes): void {
    const since = this.#outcomes;
    this.#isNews = true;
    for (const name of [
      'scheduled',
      'alreadyIndexed',
      'duplicate',
      'dead',
      'refused',
      'reconciled',
    ] as const) {
      since[name] += outcomes[name];
    }
    since.lag = since.lag.map((count, at) => count + (outcomes.lag[at] ?? 0));
  }
}

function noOutcomes(): Outcomes {
  const lag = Array.from({ length: lagBuckets.length + 1 }, () => 0);
  return { scheduled: 0, alreadyIndexed: 0, duplicate: 0, dead: 0, refused: 0, reconciled: 0, lag };
}

function bucketOf(seconds: number): number {
  const bucket = lagBuckets.findIndex(bound => seconds <= bound);
  return bucket === -1 ? lagBuckets.length : bucket;
}
