import type { Sql } from '@segue/database/connection.ts';
import type { Claim, ClaimedRow } from '@segue/outbox/claim.ts';
import { take } from '@segue/outbox/take.ts';

/** A row that owns the sending of its recording. */
export type TakenRow = ClaimedRow & {
  generation: number;
  /** Taken in this very claim: nothing of it can have been sent before. */
  fresh: boolean;
  /** Rows of the same claim that ask for the same recording; what becomes of them hangs on this one. */
  followers: ClaimedRow[];
};

export type Deduped = {
  taken: TakenRow[];
  /** Sent within the dedupe window (rule R5). */
  duplicates: ClaimedRow[];
  /** Another open row owns the recording; whether these are duplicates will be known when it is settled. */
  held: HeldRow[];
};

/** `soon`: the row that holds this one is in a relay's hand at this moment. */
export type HeldRow = ClaimedRow & { soon: boolean };

/** Lets one row a recording through, as the ledger decides. */
export async function dropDuplicates(
  sql: Sql,
  { lease, rows }: Claim,
  { dedupeWindowMs }: { dedupeWindowMs: number },
): Promise<Deduped> {
  const byId = new Map(rows.map(row => [row.id, row]));
  const verdicts = await take(sql, lease, rows, { dedupeWindowMs });

  const taken = new Map<number, TakenRow>();
  for (const verdict of verdicts) {
    if (verdict.verdict !== 'taken') continue;
    const { id, generation, fresh } = verdict;
    taken.set(id, { ...(byId.get(id) as ClaimedRow), generation, fresh, followers: [] });
  }

  const duplicates: ClaimedRow[] = [];
  const held: HeldRow[] = [];
  for (const verdict of verdicts) {
    const row = byId.get(verdict.id) as ClaimedRow;
    if (verdict.verdict === 'duplicate') duplicates.push(row);
    if (verdict.verdict === 'held') {
      const leader = taken.get(verdict.holder);
      if (leader) leader.followers.push(row);
      else held.push({ ...row, soon: verdict.soon });
    }
  }
  return { taken: [...taken.values()], duplicates, held };
}
