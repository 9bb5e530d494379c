import type { Position, SlotStart } from '@segue/outbox/readOpen.ts';
import type { OpenRow } from '@segue/outbox/row.ts';

/**
 * How many rows behind the newest one a read starts to look while the relay keeps up. A transaction that began earlier
 * may commit later, so that its rows turn up behind others; a thousand rows are five seconds at 200 additions a second.
 * In a backlog they wait for the sweep, as everybody waits there.
 */
const slackRows = 1_000;
/** A sweep from the start may take a twentieth of the relay's time. */
const sweepShare = 20;
/** But no sweep waits longer for its turn: an event is to be at Inngest within 5 s (rule R1). */
const longestRestMs = 2_500;

/** Less than any id. */
const noId = '-9223372036854775808';

/** What a read looks at. */
export type Look = { starts: SlotStart[]; perSlot: number; ticket: number };

/**
 * Where the next read begins, slot by slot.
 *
 * Rows that were settled leave dead entries in the index until vacuum removes them, which it cannot while any
 * transaction is open that may still see them: 24,000 of them made a read of 3 ms one of 180 ms (PlanetScale,
 * PostgreSQL 18). So in a backlog a read goes on behind the last row that it has read of a slot, and otherwise a little
 * behind the newest one.
 *
 * All that is for speed alone and never trusted: rows become visible out of order, and retries fall due. Once in a poll
 * interval, and after a read that found nothing, a read looks at everything (a sweep). A long sweep pays for itself with a
 * long rest before the next.
 *
 * A slot starts over when it was taken, and when requests that were read come back undecided. What may have been sent is
 * the oldest there, so that it is decided before anything newer of its recording: a forced request never gets the event id
 * of a plain one that was sent unheard.
 *
 * Each slot has its share of a read, so that a storm for one recording leaves room for the others. What the others do
 * not use is given to the slots that have more: the next time.
 */
export class ReadCursor {
  #sweepEveryMs: number;
  /** When a sweep is due, and from when on it may come earlier. */
  #nextSweep = 0;
  #restsUntil = 0;
  #sweeping = true;
  #foundNothing = false;
  #startedAt = 0;
  /** The earliest moment of each of the last reads, oldest first, and how many rows each had. */
  #reads: { first: string; rows: number }[] = [];
  /** The last row that was read of a slot of which more was there. */
  #backlog = new Map<number, Position>();
  /** How many slots had more rows than their share; undefined: a whole read was full. */
  #fullSlots: number | undefined = 0;
  /** The slot that is read first: the others have had their turn. */
  #firstSlot = 0;
  /** Slots that start over, and the number of the last read before that was known. */
  #startingOver = new Map<number, number>();
  #lastTicket = 0;

  constructor({ sweepEveryMs }: { sweepEveryMs: number }) {
    this.#sweepEveryMs = sweepEveryMs;
  }

  /**
   * Where the read that is made now, of at most `limit` rows, looks.
   *
   * @param slots that are owned, in ascending order
   */
  look(slots: number[], limit: number): Look {
    this.#startedAt = performance.now();
    const newest = this.#reads[0];
    this.#sweeping =
      newest === undefined ||
      this.#startedAt >= this.#nextSweep ||
      (this.#foundNothing && this.#startedAt >= this.#restsUntil);
    const inTurn = [
      ...slots.filter(slot => slot >= this.#firstSlot),
      ...slots.filter(slot => slot < this.#firstSlot),
    ];
    this.#lastTicket += 1;
    return {
      ticket: this.#lastTicket,
      starts: inTurn.map(slot => (this.#sweeping ? { slot } : { slot, after: this.#startOf(slot) })),
      perSlot: Math.ceil(limit / Math.max(1, this.#fullSlots ?? slots.length)),
    };
  }

  #startOf(slot: number): Position | undefined {
    if (this.#startingOver.has(slot)) return undefined;
    const [oldest] = this.#reads;
    return this.#backlog.get(slot) ?? (oldest && { availableAt: oldest.first, id: noId });
  }

  /**
   * What that read has found.
   *
   * @param wasCut whether it ended at a limit, so that slots behind the last row's were not looked at
   */
  found(rows: OpenRow[], look: Look, wasCut: boolean): void {
    const now = performance.now();
    const [first] = rows.map(({ availableAt }) => availableAt).sort();
    const [oldest] = this.#reads;
    if (this.#sweeping) {
      this.#restsUntil = now + Math.min(longestRestMs, (now - this.#startedAt) * sweepShare);
      this.#nextSweep = Math.max(now + this.#sweepEveryMs, this.#restsUntil);
      // Reading goes on from rows that a sweep has found before the others.
      if (first !== undefined && oldest !== undefined && first < oldest.first) this.#reads = [];
    }
    this.#foundNothing = rows.length === 0;
    this.#noteBacklog(rows, look, wasCut);
    if (first !== undefined) this.#reads.push({ first, rows: rows.length });
    while (this.#rowsBehindOldest() >= slackRows) this.#reads.shift();
  }

  /** The next read of these slots starts at their beginning; one that is under way does not count. */
  startOver(slots: Iterable<number>): void {
    for (const slot of slots) this.#startingOver.set(slot, this.#lastTicket);
  }

  #noteBacklog(rows: OpenRow[], { starts, perSlot, ticket }: Look, wasCut: boolean): void {
    const bySlot = Map.groupBy(rows, ({ slot }) => slot);
    const lastSlot = rows.at(-1)?.slot;
    let full = 0;
    for (const { slot } of starts) {
      if ((this.#startingOver.get(slot) ?? ticket) < ticket) this.#startingOver.delete(slot);
      const last = bySlot.get(slot)?.at(-1);
      const isLast = wasCut && slot === lastSlot;
      if (last && (isLast || bySlot.get(slot)?.length === perSlot)) {
        full += 1;
        this.#backlog.set(slot, { availableAt: last.availableAt, id: last.id });
      } else {
        this.#backlog.delete(slot);
      }
      if (isLast) {
        this.#firstSlot = slot + 1;
        break;
      }
    }
    this.#fullSlots = wasCut ? undefined : full;
  }

  #rowsBehindOldest(): number {
    return this.#reads.slice(1).reduce((sum, read) => sum + read.rows, 0);
  }
}
