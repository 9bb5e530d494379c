import { eventProblem } from '@segue/ingestion/event.ts';
import { longestTexts, type OpenRow } from '@segue/outbox/row.ts';
import { eventData } from './event.ts';

/** What became of a sending; each step fills it in, and none changes what another has decided. */
export type Outcome =
  /** No step has decided: nothing is written, and the requests are read again. */
  | { as: 'undecided' }
  | { as: 'sent' }
  /** In the index already (rule R4). */
  | { as: 'indexed' }
  | { as: 'refused'; error: string };

/** One event that is to be sent for a recording, and all the requests that it answers. */
export type Sending = {
  isrc: string;
  slot: number;
  force: boolean;
  /** In the event's id (rule R6). */
  generation: number;
  /** The request that the event is made of. */
  lead: OpenRow;
  /** The other requests for the recording: of the same kind, so all plain or all forced. */
  others: OpenRow[];
  /** Ids of forced requests that were read besides; the event answers them, too. */
  gathered: string[];
  outcome: Outcome;
};

/** A batch, every row of it in exactly one place. */
export type Batch = {
  sendings: Sending[];
  /** Sent within the dedupe window (rule R5). */
  duplicates: OpenRow[];
  /** Rows that make no valid event, and why. No attempt could change it. */
  invalid: { row: OpenRow; error: string }[];
  /** Forced requests behind a plain one: they are read again when that is settled, as an event answers one kind alone. */
  waiting: OpenRow[];
};

/**
 * Decides what is to be done for the rows of a batch: all that are open and due for these recordings.
 *
 * Plain requests go first, so that an id which a plain request may have used is never used for a forced one.
 *
 * @param rows those of a recording in the order of reading
 */
export function decide(rows: OpenRow[]): Batch {
  const batch: Batch = { sendings: [], duplicates: [], invalid: [], waiting: [] };
  for (const [isrc, requests] of Map.groupBy(rows, row => row.isrc)) {
    const plain: OpenRow[] = [];
    const forced: OpenRow[] = [];
    for (const row of requests) {
      if (!row.force && row.isSent) {
        batch.duplicates.push(row);
        continue;
      }
      const error = whyInvalid(row);
      if (error === null) (row.force ? forced : plain).push(row);
      else batch.invalid.push({ row, error });
    }
    const answered = plain.length > 0 ? plain : forced;
    const lead = leadOf(answered);
    if (!lead) continue;
    if (answered === plain) batch.waiting.push(...forced);
    batch.sendings.push({
      isrc,
      slot: lead.slot,
      force: lead.force,
      generation: lead.generation + 1,
      lead,
      others: answered.filter(row => row !== lead),
      gathered: [],
      outcome: { as: 'undecided' },
    });
  }
  return batch;
}

/** What a batch has of one recording. */
export function ofRecording({ sendings, duplicates, invalid, waiting }: Batch, isrc: string): Batch {
  const own = <Of extends { isrc: string }>(all: Of[]) => all.filter(each => each.isrc === isrc);
  return {
    sendings: own(sendings),
    duplicates: own(duplicates),
    invalid: invalid.filter(({ row }) => row.isrc === isrc),
    waiting: own(waiting),
  };
}

/** The request that was refused most often goes on, so that its attempts come to an end; else the oldest. */
function leadOf(rows: OpenRow[]): OpenRow | undefined {
  return rows.reduce<OpenRow | undefined>(
    (lead, row) => (lead === undefined || row.attempts > lead.attempts ? row : lead),
    undefined,
  );
}

function whyInvalid(row: OpenRow): string | null {
  if (row.bytes > longestTexts) {
    return `its texts have ${row.bytes} bytes, and Inngest takes no event of more than ${longestTexts}`;
  }
  const problem = eventProblem(eventData(row));
  return problem === null ? null : `it makes no valid event: ${problem}`;
}
