import type { Sql } from '@segue/database/connection.ts';
import { type ReadOptions, readOpen } from '@segue/outbox/readOpen.ts';
import type { OpenRow } from '@segue/outbox/row.ts';
import { type Look, ReadCursor } from './readCursor.ts';
import type { RecordingsInHand } from './recordingsInHand.ts';
import type { SlotKeeper } from './slotKeeper.ts';

export type ReaderOptions = {
  sql: Sql;
  keeper: Pick<SlotKeeper, 'slots'>;
  inHand: RecordingsInHand;
  dedupeWindowMs: number;
  /** How long a row may be overlooked that stands before those read last. */
  sweepEveryMs: number;
};

/** What a read has found, and under which right it may be worked on. */
export type Reading = {
  /** Of slots that are still owned, in the order in which they are worked on. */
  rows: OpenRow[];
  /** How long the read took, in ms. */
  readMs: number;
  /** The epochs of the slots when they were read. */
  epochs: Map<number, number>;
  /** Slots of which the read has not seen all. */
  fullSlots: Set<number>;
};

/**
 * Bytes of texts in a batch: those of 5,000 usual rows. Four batches in flight, with texts of 40 KiB to 2.9 MiB among
 * them, take 35 MB more than usual rows do (`npm run bench -- memory`).
 */
const batchBytes = 1024 * 1024;

/**
 * Rows of each slot in a batch of the newest ones, which goes out beside those that use up their calls: so few that its own
 * calls find out about each of them.
 */
const freshPerSlot = 1;

/** Reads the open requests of the slots that this relay owns. One read at a time. */
export class OpenReader {
  readonly #options: ReaderOptions;
  readonly #cursor: ReadCursor;
  /** Of the slots at the last read. */
  #lastEpochs = new Map<number, number>();

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#cursor = new ReadCursor(options);
  }

  /**
   * Reads on, the oldest requests first.
   *
   * @param limit of rows
   * @throws what the database says
   */
  async next(limit: number): Promise<Reading> {
    const { keeper, inHand } = this.#options;
    const epochs = keeper.slots();
    // What another relay had in hand of a slot may have been sent.
    this.startOver([...epochs.keys()].filter(slot => this.#lastEpochs.get(slot) !== epochs.get(slot)));
    this.#lastEpochs = epochs;
    this.startOver(inHand.endRests());
    const look = this.#cursor.look([...epochs.keys()], limit);
    const { rows, readMs } = await this.#read({ ...look, limit });
    const wasCut = rows.length >= limit || rows.reduce((sum, { bytes }) => sum + bytes, 0) >= batchBytes;
    this.#cursor.found(rows, look, wasCut);
    const fullSlots = slotsNotSeenWhole(rows, look, wasCut);
    return { rows: this.#own(rows, epochs), readMs, epochs, fullSlots };
  }

  /**
   * Reads the newest requests, the newest first. The cursor stays where it is. Those whose rest is over are among them: they
   * would go into the next usual batch, behind the requests that used up the calls of their last.
   *
   * @throws what the database says
   */
  async newest(): Promise<Reading> {
    const epochs = this.#options.keeper.slots();
    this.startOver(this.#options.inHand.endRests());
    const { rows, readMs } = await this.#read({
      starts: [...epochs.keys()].map(slot => ({ slot })),
      limit: freshPerSlot * epochs.size,
      perSlot: freshPerSlot,
      newest: true,
    });
    return { rows: this.#own(rows, epochs).reverse(), readMs, epochs, fullSlots: new Set() };
  }

  /** The next read of these slots starts at their beginning; one that is under way does not count. */
  startOver(slots: Iterable<number>): void {
    this.#cursor.startOver(slots);
  }

  async #read(
    what: Pick<ReadOptions, 'starts' | 'limit' | 'perSlot' | 'newest'>,
  ): Promise<{ rows: OpenRow[]; readMs: number }> {
    const { sql, inHand, dedupeWindowMs } = this.#options;
    const from = performance.now();
    const rows = await readOpen(sql, {
      ...what,
      bytes: batchBytes,
      without: inHand.toLeaveOut(),
      dedupeWindowMs,
    });
    return { rows, readMs: performance.now() - from };
  }

  /** A slot that was handed back meanwhile is its new owner's. @returns the others' rows, the oldest first */
  #own(rows: OpenRow[], epochs: Map<number, number>): OpenRow[] {
    const now = this.#options.keeper.slots();
    return rows.filter(({ slot }) => now.get(slot) === epochs.get(slot)).sort(byMoment);
  }
}

/** The oldest first, over all slots; those of one moment by their ids. Texts of moments compare like the moments. */
function byMoment(a: OpenRow, b: OpenRow): number {
  if (a.availableAt !== b.availableAt) return a.availableAt < b.availableAt ? -1 : 1;
  return a.id.length - b.id.length || (a.id < b.id ? -1 : 1);
}

/** Slots of which there may be more than was read. */
function slotsNotSeenWhole(rows: OpenRow[], { perSlot }: Look, wasCut: boolean): Set<number> {
  const full = [...Map.groupBy(rows, ({ slot }) => slot)].filter(([, ofSlot]) => ofSlot.length >= perSlot);
  const last = rows.at(-1);
  return new Set([...full.map(([slot]) => slot), ...(wasCut && last ? [last.slot] : [])]);
}
