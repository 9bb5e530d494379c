import { randomUUID } from 'node:crypto';
import type { Queryable, Sql } from '@segue/database/connection.ts';
import type { Isrc } from '@segue/ingestion/isrc.ts';
import type { IngestionRequest } from '@segue/ingestion/request.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { beforeEach, expect } from 'vitest';
import { storeAndEnqueue, storeAndEnqueueAlbum } from '../enqueue.ts';
import { type ReadOptions, readOpen } from '../readOpen.ts';
import type { OpenRow } from '../row.ts';
import { type RowOutcome, type Settlement, settle } from '../settle.ts';
import { beat, type Heartbeat, type Holding } from '../slots.ts';

export const hourMs = 3_600_000;
export const windowMs = 24 * hourMs;

/** What stands in a row of the outbox, as far as tests look at it. */
export type StoredRow = {
  status: string;
  reason: string | null;
  attempts: number;
  generation: number | null;
  last_error: string | null;
  settled: boolean;
  /** ms from the database's now until the row may be taken. */
  due_in_ms: number;
};

export type LedgerEntry = {
  outbox_id: number;
  generation: number;
  sent_at: Date | null;
  prior_sent_at: Date | null;
  indexed_at: Date | null;
  dead_reason: string | null;
};

let isrcs = 0;

/** One that no other test of the file has. */
export function newIsrc(): Isrc {
  return `TESTS${String(++isrcs).padStart(7, '0')}` as Isrc;
}

export function newRequest(given: Partial<IngestionRequest> = {}): IngestionRequest {
  return { isrc: newIsrc(), title: 'So What', artist: 'Miles Davis', album: 'Kind of Blue', ...given };
}

/** Writes the outbox row of a recording as the API does, beside an item that is stored nowhere. */
export async function enqueue(db: Queryable, request: IngestionRequest): Promise<void> {
  await storeAndEnqueue(db, db`SELECT`, request);
}

/** The same for the recordings of an album, and their batch. */
export async function enqueueAlbum(db: Queryable, requests: IngestionRequest[]): Promise<void> {
  await storeAndEnqueueAlbum(db, db`SELECT`, requests);
}

const allSlots = Array.from({ length: 32 }, (_, slot) => slot);

/** A relay as its statements see it, of the given sessions. */
export class TestRelay {
  readonly id: string;
  readonly sql: Queryable;
  #epochs: Map<number, number>;

  constructor(sql: Queryable, id: string = randomUUID(), epochs = new Map<number, number>()) {
    this.sql = sql;
    this.id = id;
    this.#epochs = epochs;
  }

  /** The same relay on another session, or in a transaction. */
  on(sql: Queryable): TestRelay {
    return new TestRelay(sql, this.id, this.#epochs);
  }

  async beat(given: Partial<Heartbeat> = {}): Promise<Holding> {
    const holding = await beat(this.sql, {
      id: this.id,
      host: 'here',
      version: '1',
      state: 'running',
      leaseMs: 60_000,
      handBack: [],
      ...given,
    });
    this.#epochs = new Map(holding.owned.map(({ slot, epoch }) => [slot, epoch]));
    return holding;
  }

  /** Slots as the last heartbeat left them, in ascending order. */
  get slots(): number[] {
    return [...this.#epochs.keys()];
  }

  read(given: Partial<ReadOptions> = {}): Promise<OpenRow[]> {
    return readOpen(this.sql, {
      starts: this.slots.map(slot => ({ slot })),
      limit: 1_000,
      perSlot: 1_000,
      bytes: 4 * 1024 * 1024,
      without: [],
      dedupeWindowMs: windowMs,
      ...given,
    });
  }

  settle(outcomes: RowOutcome[], slots = outcomes.map(({ slot }) => slot)): Promise<Settlement> {
    const named = [...new Set(slots)].map(slot => ({ slot, epoch: this.#epochs.get(slot) ?? -1 }));
    return settle(this.sql, this.id, named, outcomes, { dedupeWindowMs: windowMs });
  }
}

/** What becomes of a row; sent, unless another outcome is given. */
export function outcomeOf(row: OpenRow, given: Partial<RowOutcome> = {}): RowOutcome {
  const { id, isrc, slot, generation } = row;
  return { id, isrc, slot, as: 'sent', leads: true, generation: generation + 1, ...given };
}

/** An outbox that is empty at the beginning of each test of the file. */
export function useOutbox() {
  const database = useDatabase();
  beforeEach(async () => {
    await database.sql`TRUNCATE ingestion_outbox, ingestion_ledger, album_ingestion_batches, relays`;
    await database.sql`UPDATE relay_slots SET owner = NULL, lease_end = '-infinity'`;
  });

  /** Stores rows as they are given, `isrc` and the rest of what is needed filled in. @returns their ids */
  async function store(...rows: Record<string, unknown>[]): Promise<number[]> {
    const ids: number[] = [];
    for (const row of rows) {
      const whole = { ...newRequest(), ...row };
      const [stored] = await database.sql<
        [{ id: number }]
      >`INSERT INTO ingestion_outbox ${database.sql(whole)} RETURNING id`;
      ids.push(stored.id);
    }
    return ids;
  }

  return {
    get sql(): Sql {
      return database.sql;
    },
    store,

    /** A relay that owns every slot. */
    async relay(): Promise<TestRelay> {
      const relay = new TestRelay(database.sql);
      await relay.beat();
      expect(relay.slots).toEqual(allSlots);
      return relay;
    },

    async row(id: number | string): Promise<StoredRow> {
      const [row] = await database.sql<StoredRow[]>`
        SELECT status, reason, attempts, generation, last_error, settled_at IS NOT NULL AS settled,
          round(extract(epoch FROM available_at - now()) * 1000)::int AS due_in_ms
        FROM ingestion_outbox WHERE id = ${id}`;
      if (!row) throw new Error(`there is no row ${id}`);
      return row;
    },

    async ledger(isrc: string): Promise<LedgerEntry | undefined> {
      const [entry] = await database.sql<LedgerEntry[]>`
        SELECT outbox_id, generation, sent_at, prior_sent_at, indexed_at, dead_reason
        FROM ingestion_ledger WHERE isrc = ${isrc}`;
      return entry;
    },

    /** Waits until so many statements on this database wait for a lock that another transaction holds. */
    blocked(statements: number) {
      return eventually(async () => {
        const [waiting] = await database.sql`
          SELECT count(*)::int FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        expect(waiting?.count).toBe(statements);
      });
    },

    /** Does something in a transaction that stays open while `meanwhile` runs, and is rolled back then. */
    async during(
      before: (transaction: Sql) => Promise<unknown>,
      meanwhile: () => Promise<unknown>,
      { commit = false } = {},
    ) {
      const connection = await database.sql.reserve();
      try {
        await connection`BEGIN`;
        await before(connection);
        await meanwhile();
      } finally {
        await (commit ? connection`COMMIT` : connection`ROLLBACK`);
        connection.release();
      }
    },
  };
}
