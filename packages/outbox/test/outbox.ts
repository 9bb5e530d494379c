import { randomUUID } from 'node:crypto';
import type { Queryable, Sql } from '@segue/database/connection.ts';
import type { Isrc } from '@segue/ingestion/isrc.ts';
import type { IngestionRequest } from '@segue/ingestion/request.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { beforeEach, expect } from 'vitest';
import { type ClaimedRow, claim } from '../claim.ts';
import { storeAndEnqueue, storeAndEnqueueAlbum } from '../enqueue.ts';
import type { Outcomes } from '../settle.ts';

export const hourMs = 3_600_000;
export const windowMs = 24 * hourMs;

/** What stands in a row of the outbox, as far as tests look at it. */
export type StoredRow = {
  status: string;
  reason: string | null;
  attempts: number;
  generation: number | null;
  last_error: string | null;
  lease: string | null;
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

/** An outbox that is empty at the beginning of each test of the file. */
export function useOutbox() {
  const database = useDatabase();
  beforeEach(async () => {
    await database.sql`TRUNCATE ingestion_outbox, ingestion_ledger, album_ingestion_batches`;
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

    /** Stores rows and claims them. */
    async claimed(...rows: Record<string, unknown>[]): Promise<{ lease: string; rows: ClaimedRow[] }> {
      await store(...rows);
      const claimed = await claim(database.sql, { limit: rows.length, leaseMs: 60_000 });
      expect(claimed.rows).toHaveLength(rows.length);
      return claimed;
    },

    async row(id: number): Promise<StoredRow> {
      const [row] = await database.sql<StoredRow[]>`
        SELECT status, reason, attempts, generation, last_error, lease, settled_at IS NOT NULL AS settled,
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

export const staleLease = randomUUID();

export const asScheduled = (ids: number[], generation: number): Partial<Outcomes> => ({
  scheduled: ids.map(id => ({ id, generation })),
});

export const asDuplicates = (ids: number[]): Partial<Outcomes> => ({ duplicates: ids });

export const asIndexed = (ids: number[], { unsent }: { unsent: boolean }): Partial<Outcomes> =>
  unsent ? { indexedUnsent: ids } : { indexed: ids };
