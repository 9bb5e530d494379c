import type { Release } from './conclude.ts';
import type { TakenRow } from './dropDuplicates.ts';
import type { Sent } from './send.ts';

/** What was sent, and rows to be handed back for longer than those that wait for the end of an outage. */
export type Weighed = { sent: Sent; resting: Release[] };

/**
 * So many different events refused in a row, and none accepted between them, are a fault of Inngest. Fewer are
 * taken for what they are: the requests of a quiet hour may really all be bad, and must die (rule R8).
 */
const suspiciousRefusals = 8;

/** Longer than the breaker ever waits, so that each probe tries other rows: a good one among them proves all. */
const refusedByAllMs = 10_000;

/** What is left of a batch whose calls are used up: Inngest has had 64 for it. Within the 5 s of rule R1. */
const outOfCallsMs = 1_000;

/**
 * Tells events that Inngest refuses from an Inngest that refuses everything. The open-source server answers 400
 * for its own failures, too, and so may a proxy that is set up wrongly; row by row the two look the same, and a
 * whole backlog would be dead after ten attempts, three minutes.
 *
 * So refusals are counted over batches, as they mostly come one by one. From the eighth in a row on they count
 * as an outage, for as long as nothing is accepted: the breaker opens, rows are handed back without an attempt,
 * and at most seven can have died of it. The texts are not compared: those of a server that fails name ports and
 * connections, each another.
 *
 * The price: eight bad requests and more, with never a good one between them, wait instead of dying, for all to
 * see in `/readyz` and in the age of the oldest row. The next good one ends that.
 */
export class RefusalWeigher {
  /** Rows refused since an event was accepted last. */
  #inARow = new Set<number>();

  weigh(sent: Sent): Weighed {
    const { accepted, unsent } = sent;
    const refused = sent.refused.filter(refusal => !refusal.final);
    if (accepted.length > 0) {
      this.#inARow.clear();
    } else if (this.#inARow.size < suspiciousRefusals) {
      for (const { row } of refused) this.#inARow.add(row.id);
    }

    const [first] = refused;
    if (first && this.#inARow.size >= suspiciousRefusals) {
      const { error } = first;
      const rows = withFollowers([...refused.map(({ row }) => row), ...unsent]);
      return {
        sent: {
          ...sent,
          refused: sent.refused.filter(refusal => refusal.final),
          unsent: [],
          outage: sent.outage ?? { kind: 'unavailable', error },
        },
        resting: [{ rows, delayMs: refusedByAllMs, error }],
      };
    }
    if (sent.outOfCalls) {
      const resting = [{ rows: withFollowers(unsent), delayMs: outOfCallsMs, error: null }];
      return { sent: { ...sent, unsent: [] }, resting };
    }
    return { sent, resting: [] };
  }
}

const withFollowers = (rows: TakenRow[]) => rows.flatMap(row => [row, ...row.followers]);
