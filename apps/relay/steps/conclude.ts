import type { ClaimedRow } from '@segue/outbox/claim.ts';
import type { Asked } from './askIndex.ts';
import type { Deduped, TakenRow } from './dropDuplicates.ts';
import type { Refusal, Sent } from './send.ts';

/** Rows to be handed back together. */
export type Release = { rows: ClaimedRow[]; delayMs: number; error: string | null };

/** What is to be written down about each row of a claim; every row is in one place. */
export type Conclusion = {
  scheduled: TakenRow[];
  /** Indexed, and certainly never sent by these rows. */
  indexedUnsent: ClaimedRow[];
  /** Indexed, but perhaps sent by an earlier attempt, or not the owner of the recording. */
  indexed: ClaimedRow[];
  duplicates: ClaimedRow[];
  refused: Refusal[];
  released: Release[];
};

/** A held row asks again after so long: soon where its holder is in hand, later where that waits itself. */
const heldSoonMs = 100;
const heldLongMs = 1_000;

/** What is left of a batch whose calls are used up. Inngest has had 64 for it: the others first. */
const outOfCallsMs = 1_000;

/**
 * Draws the conclusion from what the steps have found. A follower is what its leader turned out to be, unless
 * the follower is forced or the leader is not decided: then it waits for a claim of its own.
 */
export function conclude(deduped: Deduped, asked: Asked, sent: Sent): Conclusion {
  const again: ClaimedRow[] = [];
  const followersOf = (leaders: TakenRow[]) => {
    const followers = leaders.flatMap(leader => leader.followers);
    again.push(...followers.filter(row => row.force));
    return followers.filter(row => !row.force);
  };
  const conclusion: Conclusion = {
    scheduled: sent.accepted,
    indexedUnsent: asked.indexed.filter(row => row.fresh),
    indexed: [...asked.indexed.filter(row => !row.fresh), ...followersOf(asked.indexed)],
    duplicates: [...deduped.duplicates, ...followersOf(sent.accepted)],
    refused: sent.refused,
    released: [],
  };
  const undecided = sent.unsent.flatMap(row => [row, ...row.followers]);
  again.push(...sent.refused.flatMap(({ row }) => row.followers));
  conclusion.released = [
    { rows: undecided, delayMs: sent.outOfCalls ? outOfCallsMs : 0, error: sent.outage?.error ?? null },
    { rows: again, delayMs: 0, error: null },
    { rows: deduped.held.filter(row => row.soon), delayMs: heldSoonMs, error: null },
    { rows: deduped.held.filter(row => !row.soon), delayMs: heldLongMs, error: null },
  ].filter(({ rows }) => rows.length > 0);
  return conclusion;
}
