import type { ClaimedRow, Look, Position } from '@segue/outbox/claim.ts';

/**
 * How many rows behind the newest claimed one a claim starts to look while the relay keeps up. A transaction
 * that began earlier may commit later, so that its rows turn up behind others; a thousand rows are five seconds
 * at 200 additions a second. In a backlog they wait for the sweep, as everybody waits there: a claim of 250
 * rows would walk over four times as many that it has claimed before.
 */
const slackRows = 1_000;
/** A sweep from the start may take a twentieth of the relay's time. */
const sweepShare = 20;
/** But no sweep waits longer for its turn: an event is to be at Inngest within 5 s (rule R1). */
const longestRestMs = 2_500;

/**
 * Where the next claim looks.
 *
 * Rows that were settled leave dead entries in the index until vacuum removes them, which it cannot while any
 * transaction is open that may still see them. A claim that started at the beginning would walk over all of
 * them each time: 24,000 dead rows made a claim of 3 ms one of 180 ms (PlanetScale, PostgreSQL 18). So claims
 * start a little behind the last one.
 *
 * Rows that this relay hands back stand behind its claims when they fall due; one claim looks at them by their
 * ids. Starting at them instead, the claims of a drain with 5 % of duplicates walked over 3,000 rows each, and
 * over 12,000 with four relays.
 *
 * All that is for speed alone and never trusted: ids and moments become visible out of order, leases end,
 * retries fall due. Once in a poll interval, and after a claim that found nothing, a claim looks at everything
 * (a sweep). A long sweep pays for itself with a long rest before the next.
 */
export class Frontier {
  #sweepEveryMs: number;
  /** When a sweep is due, and from when on it may come earlier. */
  #nextSweep = 0;
  #restsUntil = 0;
  #sweeping = true;
  #foundNothing = false;
  #startedAt = 0;
  /** The first row of each of the last claims, oldest first, and how many rows each had. */
  #claims: { first: Position; rows: number }[] = [];
  /** The last row of the last claim, when that was a full one: there is a backlog. */
  #backlogFrom: Position | undefined;
  /** Rows that were handed back, and when they fall due, in no order. */
  #handedBack: { id: number; dueAt: number }[] = [];

  constructor({ sweepEveryMs }: { sweepEveryMs: number }) {
    this.#sweepEveryMs = sweepEveryMs;
  }

  /** Where the claim that is made now, of at most `limit` rows, looks. */
  look(limit: number): Look {
    this.#startedAt = performance.now();
    this.#sweeping =
      this.#claims.length === 0 ||
      this.#startedAt >= this.#nextSweep ||
      (this.#foundNothing && this.#startedAt >= this.#restsUntil);
    const also = this.#fallenDue(limit);
    if (this.#sweeping) return { also };
    return { from: this.#backlogFrom ?? (this.#claims[0] as { first: Position }).first, also };
  }

  /** Rows that were handed back, to be claimed again after `delayMs`. */
  handedBack(rows: ClaimedRow[], delayMs: number): void {
    const dueAt = performance.now() + delayMs;
    this.#handedBack.push(...rows.map(({ id }) => ({ id, dueAt })));
  }

  /** What that claim, of at most `limit` rows, has found. */
  found(rows: ClaimedRow[], limit: number): void {
    const now = performance.now();
    if (this.#sweeping) {
      this.#restsUntil = now + Math.min(longestRestMs, (now - this.#startedAt) * sweepShare);
      this.#nextSweep = Math.max(now + this.#sweepEveryMs, this.#restsUntil);
    }
    this.#foundNothing = rows.length === 0;
    const first = rows[0];
    if (!first) {
      this.#backlogFrom = undefined;
      return;
    }
    // A sweep may have found old rows; then claiming goes on from there.
    if (this.#sweeping) this.#claims = [];
    this.#backlogFrom = rows.length === limit ? rows.at(-1) : undefined;
    this.#claims.push({ first, rows: rows.length });
    while (this.#rowsBehindOldest() >= slackRows) this.#claims.shift();
  }

  #fallenDue(limit: number): number[] {
    const due = this.#handedBack.filter(({ dueAt }) => this.#startedAt >= dueAt).slice(0, limit);
    const taken = new Set(due);
    this.#handedBack = this.#handedBack.filter(row => !taken.has(row));
    return due.map(({ id }) => id);
  }

  #rowsBehindOldest(): number {
    return this.#claims.slice(1).reduce((sum, claim) => sum + claim.rows, 0);
  }
}
