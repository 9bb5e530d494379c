import type { Pause, SeenPage, SentRecording } from '@segue/outbox/reconcile.ts';

/**
 * How much later a recording may have been sent than another and still be worked on first: its priority shifts it by
 * 600 s at the most, in either direction.
 */
const overtakingMs = 2 * 600_000;

/** What the outbox and the index say of the recordings that have arrived: it tells a loss from a standstill. */
export class Evidence {
  #sampled = 0;
  #there = 0;
  #newestSentAtMs = Number.NEGATIVE_INFINITY;

  /** Adds a page, and what the index says of its sample. */
  add({ sample, newestSentAtMs }: SeenPage, exists: Map<string, boolean>): void {
    this.#sampled += sample.length;
    this.#there += sample.filter(isrc => exists.get(isrc)).length;
    this.#newestSentAtMs = Math.max(this.#newestSentAtMs, newestSentAtMs ?? Number.NEGATIVE_INFINITY);
  }

  /**
   * A recording is lost when the index has what was there before, and when something that was sent later has reached it.
   *
   * @param overdue recordings that should have arrived and have not; at least one
   * @returns those of them that are lost; or why nothing can be said
   */
  judge(overdue: SentRecording[]): { lost: SentRecording[]; pause: Pause | null } {
    const gone = this.#sampled - this.#there;
    if (gone * 2 > this.#sampled) {
      const reason = `${gone} of ${this.#sampled} recordings that were in the index are gone from it: it was wiped; \`outbox reindex\` requests them anew`;
      return { lost: [], pause: { cause: 'index_wiped', reason } };
    }
    const lost = overdue.filter(({ sentAtMs }) => sentAtMs < this.#newestSentAtMs - overtakingMs);
    if (lost.length > 0) return { lost, pause: null };
    const recordings = overdue.length === 1 ? 'a recording is' : `${overdue.length} recordings are`;
    const reason = `${recordings} missing in the index, and nothing that was sent later is in it: the worker is behind, or stands still`;
    return { lost: [], pause: { cause: 'worker_behind', reason } };
  }
}
