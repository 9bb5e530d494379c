import type { Answer } from './answer.ts';

type Outage = Extract<Answer, { kind: 'unavailable' }>;

/** What became of each of the items, by their index in the batch. */
export type Dispatch = {
  accepted: number[];
  /** Refused, and the canary has passed afterwards. */
  refused: { index: number; error: string }[];
  /** Not decided: to be sent again, under the same id, without an attempt being counted. */
  unsent: number[];
  /** The outage that stopped the dispatch. */
  outage?: Outage;
  /**
   * What is unsent is so because of the batch, and not of Inngest: it has had all its calls, or the connection breaks
   * at one event alone. Other batches go first.
   */
  outOfCalls?: true;
};

export type Limits = {
  /** Inngest takes at most 5,000 events a request. */
  eventsAtOnce: number;
  /** Bytes of a request. One event that is larger goes alone, so that its refusal is its own. */
  bytesAtOnce: number;
  /** Calls for one batch, whatever is wrong with it; canaries are not counted. */
  calls: number;
};

/**
 * 3 MiB is the largest event of the open-source server, and taken as the largest request. Finding one bad
 * event among 5,000 takes at most 27 calls: 13 halvings with the other half of each, and the first.
 */
export const inngestLimits: Limits = { eventsAtOnce: 5_000, bytesAtOnce: 3 * 1024 * 1024, calls: 64 };

/** Calls to Inngest. Each says null when there is no time left for a call. */
export type Calls = {
  /** Sends the items of a range `[start, end)`. */
  post(start: number, end: number): Promise<Answer | null>;
  /** Sends an event that nothing is wrong with, and that starts nothing. */
  canary(): Promise<Exclude<Answer, { kind: 'refused' }> | null>;
};

/** An item that failed alone since the last canary. Without an error it was not refused: the connection broke. */
type Suspect = { index: number; error?: string };

/**
 * Sends a batch in as few calls as the limits allow, one where nothing is wrong. A refused call is narrowed
 * down until the refused event stands alone; whatever Inngest has published on the way is not sent again. A call
 * that the connection breaks in is narrowed down likewise: a proxy may reset what is too large for it.
 *
 *     call ── fails ──▶ canary ── passes ──▶ halve ──▶ one event fails alone ──▶ canary ── passes ──▶ refused
 *                          └── fails ──▶ outage                                     └── fails ──▶ outage, unsent
 *
 * A canary goes out at the first failure, when the events that failed alone have doubled, and at the end: at most
 * eight a batch. Doubled, so that a batch that runs out of time has half of its refusals to show.
 *
 * @param sizes an upper bound of each item's bytes
 */
export async function dispatch(sizes: number[], limits: Limits, { post, canary }: Calls): Promise<Dispatch> {
  const result: Dispatch = { accepted: [], refused: [], unsent: [] };
  const accept = (start: number, end: number) => {
    for (let index = start; index < end; index++) result.accepted.push(index);
  };
  let suspects: Suspect[] = [];
  let suspectsUntilCanary = 0;
  const canaryPasses = async () => {
    const answer = await canary();
    if (answer?.kind === 'unavailable') result.outage = answer;
    if (answer?.kind !== 'accepted') return false;
    for (const { index, error } of suspects) {
      if (error !== undefined) {
        result.refused.push({ index, error });
      } else {
        result.unsent.push(index);
        result.outOfCalls = true;
      }
    }
    suspectsUntilCanary = Math.max(1, 2 * suspects.length);
    suspects = [];
    return true;
  };

  const ranges = split(sizes, limits).reverse();
  for (let calls = 0; ; calls++) {
    const range = ranges.pop();
    if (!range) break;
    if (calls >= limits.calls) {
      ranges.push(range);
      result.outOfCalls = true;
      break;
    }
    const [start, end] = range;
    const answer = await post(start, end);
    if (answer === null || (answer.kind === 'unavailable' && !answer.broken)) {
      ranges.push(range);
      if (answer) result.outage = answer;
      break;
    }
    if (answer.kind === 'accepted') {
      accept(start, end);
      continue;
    }
    // At least one event is at fault, whatever the ids say.
    const published = answer.kind === 'refused' ? answer.published : 0;
    const bad = start + Math.min(published, end - start - 1);
    accept(start, bad);
    if (end - bad === 1) {
      suspects.push({ index: bad, ...(answer.kind === 'refused' && { error: answer.error }) });
    } else {
      // Where Inngest says how far it came, the next one is the suspect; where not, halve.
      const middle = published > 0 ? bad + 1 : bad + Math.ceil((end - bad) / 2);
      ranges.push([middle, end], [bad, middle]);
    }
    if (suspects.length >= suspectsUntilCanary && !(await canaryPasses())) break;
  }
  if (suspects.length > 0 && !result.outage) await canaryPasses();
  for (const { index } of suspects) result.unsent.push(index);
  for (const [start, end] of ranges.reverse()) {
    for (let index = start; index < end; index++) result.unsent.push(index);
  }
  result.unsent.sort((one, other) => one - other);
  return result;
}

/** Cuts the batch into ranges `[start, end)` within the limits. */
function split(sizes: number[], { eventsAtOnce, bytesAtOnce }: Limits): [number, number][] {
  const ranges: [number, number][] = [];
  let start = 0;
  let bytes = 0;
  sizes.forEach((size, index) => {
    if (index > start && (index - start >= eventsAtOnce || bytes + size > bytesAtOnce)) {
      ranges.push([start, index]);
      start = index;
      bytes = 0;
    }
    bytes += size;
  });
  if (sizes.length > start) ranges.push([start, sizes.length]);
  return ranges;
}
