import type { Sql } from '@segue/database/connection.ts';
import { isConflict, isOutage, isTemporary } from '@segue/database/outage.ts';
import { type ClosedBatch, type RowOutcome, type Settlement, settle } from '@segue/outbox/settle.ts';
import type { OwnedSlot } from '@segue/outbox/slots.ts';
import { crashPoint } from '@segue/process/crashPoint.ts';
import { retryUntil } from '../guards/retryUntil.ts';

/** What was truly written down. */
export type Settled = {
  /** Ids of rows that are as this relay has decided. */
  written: Set<string>;
  closed: ClosedBatch[];
  lostSlots: number[];
  /** Recordings that could not be written, each with its rows: somebody locks a row of theirs, or forbids the change. */
  stuck: { rows: RowOutcome[]; error: unknown }[];
};

/** The ISRCs of what could not be written. */
export function stuckIsrcs({ stuck }: Settled): Set<string> {
  return new Set(stuck.flatMap(({ rows }) => rows.map(({ isrc }) => isrc)));
}

export type SettleDependencies = {
  sql: Sql;
  relay: string;
  epochs: Map<number, number>;
  dedupeWindowMs: number;
  /** Aborted: no further try. */
  givingUp: AbortSignal;
  /** Called when the database does not answer; it is tried on. */
  onOutage: (error: unknown) => void;
};

/**
 * Writes down what became of a batch, in one statement. While the database is away it is tried again, since what was sent
 * and is not written down is sent once more. A statement that fails for another reason is halved until the recording
 * stands alone that makes it fail: a row that somebody locks in a terminal holds up no other.
 *
 * @throws what fails for every recording alike: a missing right, a missing table, a database that stays away
 */
export async function writeDown(rows: RowOutcome[], dependencies: SettleDependencies): Promise<Settled> {
  const { sql, relay, epochs, dedupeWindowMs, givingUp, onOutage } = dependencies;
  const settled: Settled = { written: new Set(), closed: [], lostSlots: [], stuck: [] };

  async function write(part: RowOutcome[]): Promise<void> {
    let repeated = false;
    let settlement: Settlement;
    try {
      settlement = await retryUntil(
        givingUp,
        () => settle(sql, relay, slotsOf(part, epochs), part, { dedupeWindowMs }),
        passes,
        error => {
          repeated = true;
          onOutage(error);
        },
      );
    } catch (error) {
      if (passes(error) || isForEveryone(error)) throw error;
      const halves = halve(part);
      if (halves) for (const half of halves) await write(half);
      else settled.stuck.push({ rows: part, error });
      return;
    }
    crashPoint('within_settlement');
    const lost = new Set(settlement.lostSlots);
    const unchanged = new Set(settlement.unchanged);
    for (const { id, slot } of part) {
      // An answer that was lost with the connection may have been to a settlement that was made.
      if (!unchanged.has(id) || (repeated && !lost.has(slot))) settled.written.add(id);
    }
    settled.closed.push(...settlement.closed);
    settled.lostSlots.push(...settlement.lostSlots);
  }

  if (rows.length > 0) await write(rows);
  return settled;
}

function slotsOf(rows: RowOutcome[], epochs: Map<number, number>): OwnedSlot[] {
  return [...new Set(rows.map(({ slot }) => slot))].map(slot => ({ slot, epoch: epochs.get(slot) ?? -1 }));
}

/** Two halves, the rows of a recording together; undefined for one recording. */
function halve(rows: RowOutcome[]): [RowOutcome[], RowOutcome[]] | undefined {
  const recordings = [...Map.groupBy(rows, ({ isrc }) => isrc).values()];
  if (recordings.length < 2) return undefined;
  const middle = Math.ceil(recordings.length / 2);
  return [recordings.slice(0, middle).flat(), recordings.slice(middle).flat()];
}

/** A database that is away, a deadlock, a failed serialisation; but not a lock that somebody keeps (55P03). */
function passes(error: unknown): boolean {
  return isOutage(error) || (isConflict(error) && (error as { code?: unknown }).code !== '55P03');
}

/** Whether each row would fail for the same reason: SQLSTATE 42, which a missing right or table has. */
function isForEveryone(error: unknown): boolean {
  if (isConflict(error) || isTemporary(error)) return false;
  const { code } = error as { code?: unknown };
  return typeof code !== 'string' || code.startsWith('42');
}
