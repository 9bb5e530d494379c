import type { Answer } from './answer.ts';

/** What became of each of the items, by their index in the batch. */
export type Dispatch = {
  accepted: number[];
  refused: { index: number; error: string }[];
  /** Not decided: to be sent again, under the same id, without an attempt being counted. */
  unsent: number[];
  /** The outage that stopped the dispatch. */
  outage?: Extract<Answer, { kind: 'unavailable' }>;
  /** What is unsent is so because the batch has had all its calls. */
  outOfCalls?: true;
};

export type Limits = {
  /** Inngest takes at most 5,000 events a request. */
  eventsAtOnce: number;
  /** Bytes of a request. One event that is larger goes alone, so that its refusal is its own. */
  bytesAtOnce: number;
  /** Calls for one batch, whatever is wrong with it. */
  calls: number;
};

/**
 * 3 MiB is the largest event of the open-source server, and taken as the largest request. Finding one bad
 * event among 5,000 takes at most 27 calls: 13 halvings with the other half of each, and the first.
 */
export const inngestLimits: Limits = { eventsAtOnce: 5_000, bytesAtOnce: 3 * 1024 * 1024, calls: 64 };

/**
 * Sends a batch in as few calls as the limits allow, one where nothing is wrong. A refused call is narrowed
 * down until the refused event stands alone; whatever Inngest has published on the way is not sent again.
 *
 * @param sizes an upper bound of each item's bytes
 * @param post sends the items of a range `[start, end)`, or says null when there is no time left for a call
 */
export async function dispatch(
  sizes: number[],
  limits: Limits,
  post: (start: number, end: number) => Promise<Answer | null>,
): Promise<Dispatch> {
  const result: Dispatch = { accepted: [], refused: [], unsent: [] };
  const accept = (start: number, end: number) => {
    for (let index = start; index < end; index++) result.accepted.push(index);
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
    if (answer === null || answer.kind === 'unavailable') {
      ranges.push(range);
      if (answer) result.outage = answer;
      break;
    }
    if (answer.kind === 'accepted') {
      accept(start, end);
      continue;
    }
    // At least one event was refused, whatever the ids say.
    const bad = start + Math.min(answer.published, end - start - 1);
    accept(start, bad);
    if (end - bad === 1) {
      result.refused.push({ index: bad, error: answer.error });
    } else {
      // Where Inngest says how far it came, the next one is the suspect; where not, halve.
      const middle = answer.published > 0 ? bad + 1 : bad + Math.ceil((end - bad) / 2);
      ranges.push([middle, end], [bad, middle]);
    }
  }
  for (const [start, end] of ranges.reverse()) {
    for (let index = start; index < end; index++) result.unsent.push(index);
  }
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
