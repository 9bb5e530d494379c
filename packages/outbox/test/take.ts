import type { ClaimedRow } from '../claim.ts';
import { settle } from '../settle.ts';
import { type Taking, take } from '../take.ts';
import { asScheduled, useOutbox, windowMs } from './outbox.ts';

/** An outbox as {@link useOutbox} has it, and ways to take what was claimed from it. */
export function useTaking() {
  const outbox = useOutbox();

  const takeAll = ({ lease, rows }: { lease: string; rows: Taking[] }) =>
    take(outbox.sql, lease, rows, { dedupeWindowMs: windowMs });

  return {
    outbox,
    takeAll,

    /** A request for the recording that went all the way. */
    async scheduled(isrc: string): Promise<ClaimedRow> {
      const { lease, rows } = await outbox.claimed({ isrc });
      const [verdict] = await takeAll({ lease, rows });
      if (verdict?.verdict !== 'taken') throw new Error(`${isrc} was not to be had`);
      await settle(outbox.sql, lease, asScheduled([verdict.id], verdict.generation));
      return rows[0] as ClaimedRow;
    },

    /** Moves all sendings into the past. */
    wait: (ms: number) => outbox.sql`
      UPDATE ingestion_ledger SET sent_at = sent_at - ${ms} * interval '1 ms',
        prior_sent_at = prior_sent_at - ${ms} * interval '1 ms'`,

    async verdictOn(row: Record<string, unknown>) {
      const { lease, rows } = await outbox.claimed(row);
      const [verdict] = await takeAll({ lease, rows });
      return verdict;
    },
  };
}
