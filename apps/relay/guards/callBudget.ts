import type { Breaker } from './breaker.ts';

/** The part of the lease that is kept for the settlement. */
const settlementShare = 0.25;
/** The part of the lease that must be left for a call: cut short, it would pass for an outage. */
const leastCallShare = 0.1;

export type CallTimeOptions = {
  /** When the claim was made, on `performance.now()`. */
  claimedAt: number;
  leaseMs: number;
  inngestBreaker: Pick<Breaker, 'state'>;
  /** Aborted: no new call. */
  stopping: AbortSignal;
};

/**
 * How long a call may take that a batch makes now, in ms. 0: it may make none, as Inngest is known to be away
 * (other batches find that out, too), the relay stops, or the lease comes to its end.
 */
export function callTimeMs({ claimedAt, leaseMs, inngestBreaker, stopping }: CallTimeOptions): number {
  if (stopping.aborted || inngestBreaker.state === 'open') return 0;
  const left = claimedAt + leaseMs * (1 - settlementShare) - performance.now();
  return left < leaseMs * leastCallShare ? 0 : left;
}
