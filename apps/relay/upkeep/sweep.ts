import type { Pause, SentPage, SentRecording } from '@segue/outbox/reconcile.ts';

/** Lost recordings that are kept of a sweep, the oldest. They are worked off by the minute, and the next sweep finds the rest. */
const keptAtMost = 1_000;

/**
 * How much later a recording may have been sent than another and still be worked on first: its priority shifts it by
 * 600 s at the most, in either direction.
 */
const overtakingMs = 2 * 600_000;

/**
 * What one walk over the outbox has found: which recordings are lost, and what speaks against sending them anew. It
 * goes from the newest request to the oldest.
 */
export class Sweep {
  #sampled = 0;
  #sampledThere = 0;
  #newestIndexedMs = Number.NEGATIVE_INFINITY;
  #lost: SentRecording[] = [];

  /**
   * Adds a page, and what the index says of its recordings.
   *
   * @returns ISRCs that were not known to be in the index, and are
   */
  add({ unconfirmed, confirmedSample, newestConfirmedMs }: SentPage, exists: Map<string, boolean>): string[] {
    this.#sampled += confirmedSample.length;
    this.#sampledThere += confirmedSample.filter(isrc => exists.get(isrc)).length;
    const arrived = unconfirmed.filter(({ isrc }) => exists.get(isrc));
    for (const sentAtMs of [newestConfirmedMs, ...arrived.map(({ sentAtMs }) => sentAtMs)]) {
      if (sentAtMs !== null) this.#newestIndexedMs = Math.max(this.#newestIndexedMs, sentAtMs);
    }
    this.#lost.push(...unconfirmed.filter(({ isrc, isDue }) => isDue && !exists.get(isrc)));
    this.#lost.splice(0, Math.max(0, this.#lost.length - keptAtMost));
    return arrived.map(({ isrc }) => isrc);
  }

  /**
   * Tells a loss from a standstill: a recording is lost when the index has what was there before, and when something
   * that was sent later has reached it.
   *
   * @returns the recordings to send anew, the oldest first; or why none is, where some are missing
   */
  judge(): { due: SentRecording[]; pause: Pause | null } {
    const missing = this.#lost.toReversed();
    if (missing.length === 0) return { due: [], pause: null };
    const gone = this.#sampled - this.#sampledThere;
    if (gone * 2 > this.#sampled) {
      const reason = `${gone} of ${this.#sampled} recordings that were in the index are gone from it: it was wiped; \`outbox reindex\` requests them anew`;
      return { due: [], pause: { cause: 'index_wiped', reason } };
    }
    const due = missing.filter(({ sentAtMs }) => sentAtMs < this.#newestIndexedMs - overtakingMs);
    if (due.length > 0) return { due, pause: null };
    const recordings = missing.length === 1 ? 'a recording is' : `${missing.length} recordings are`;
    const reason = `${recordings} missing in the index, and nothing that was sent later is in it: the worker is behind, or stands still`;
    return { due: [], pause: { cause: 'worker_behind', reason } };
  }
}
