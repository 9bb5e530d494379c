import type { Sql } from '@segue/database/connection.ts';
import type { Row } from './model.ts';
import { rowColumns } from './observation.ts';

/**
 * What people have done to rows by SQL. Whether it was committed is not always known, so all of it says what may be so.
 * Rows are known by their titles.
 */
export type Touched = {
  /** As they were when they were deleted. */
  removed: Map<string, Row>;
  /** ISRCs that a row had before it was corrected. */
  formerIsrcs: Map<string, string[]>;
  /** Put away by their status. */
  cancelled: Set<string>;
  /** Albums of which a row was touched: their counts are what people made of them. */
  albums: Set<number>;
};

export const untouched = (): Touched => ({
  removed: new Map(),
  formerIsrcs: new Map(),
  cancelled: new Set(),
  albums: new Set(),
});

export type TouchedRow = Row & { albumBatchId: number | null };

/** How many rows somebody touches at a time. */
const atOnce = 5;

export const cancelledByHand = 'cancelled by hand';

/** Rows that stay as they are: those that are refused for their size, and those of which Inngest loses some. */
const mayBeTouched = (sql: Sql) => sql`octet_length(album) < 1048576 AND isrc NOT LIKE 'QZLST%'`;

/**
 * Picks some of the rows of this dedupe window that are open, or settled, as a condition. A row that a relay settles
 * meanwhile is looked at again behind it, which the list of ids is not.
 */
const some = (sql: Sql, { open, salt }: { open: boolean; salt: number }) => {
  const isOpen = sql`settled_at IS ${open ? sql`NULL` : sql`NOT NULL`}`;
  return sql`${isOpen} AND id IN (
    SELECT id FROM ingestion_outbox
    WHERE ${isOpen} AND ${mayBeTouched(sql)}
      AND created_at > coalesce((SELECT max(at) FROM chaos_days), '-infinity')
    ORDER BY md5(id::text || ${String(salt)}::text) LIMIT ${atOnce})`;
};

/** The hands of people who mend a queue with SQL. Each method is one statement that somebody types, and notes what it did. */
export function handsOf(touched: Touched) {
  function note(rows: TouchedRow[]): void {
    for (const { albumBatchId } of rows) if (albumBatchId !== null) touched.albums.add(albumBatchId);
  }
  const returning = (sql: Sql) => sql`RETURNING ${rowColumns(sql)}, album_batch_id AS "albumBatchId"`;

  return {
    async setBack(sql: Sql, salt: number): Promise<void> {
      await noting(
        sql,
        note,
        tx => tx<TouchedRow[]>`
        UPDATE ingestion_outbox SET status = 'pending', settled_at = NULL
        WHERE ${some(tx, { open: false, salt })} ${returning(tx)}`,
      );
    },

    async remove(sql: Sql, salt: number): Promise<void> {
      const noteRemoved = (rows: TouchedRow[]) => {
        note(rows);
        for (const row of rows) touched.removed.set(row.title, row);
      };
      await noting(
        sql,
        noteRemoved,
        tx => tx<TouchedRow[]>`
        DELETE FROM ingestion_outbox WHERE ${some(tx, { open: true, salt })} ${returning(tx)}`,
      );
    },

    async truncate(sql: Sql): Promise<void> {
      await sql.begin(async transaction => {
        const tx = transaction as unknown as Sql;
        await tx`LOCK TABLE ingestion_outbox`;
        const rows = await tx<TouchedRow[]>`
          SELECT ${rowColumns(tx)}, album_batch_id AS "albumBatchId" FROM ingestion_outbox`;
        note(rows);
        for (const row of rows) touched.removed.set(row.title, row);
        await tx`TRUNCATE ingestion_outbox RESTART IDENTITY`;
      });
    },

    /** @param to the right ISRC */
    async correct(sql: Sql, salt: number, to: string): Promise<void> {
      await sql.begin(async transaction => {
        const tx = transaction as unknown as Sql;
        const rows = await tx<(TouchedRow & { id: number })[]>`
          SELECT id, ${rowColumns(tx)}, album_batch_id AS "albumBatchId" FROM ingestion_outbox
          WHERE ${some(tx, { open: true, salt })} FOR UPDATE`;
        note(rows);
        for (const { title, isrc } of rows)
          touched.formerIsrcs.set(title, [...(touched.formerIsrcs.get(title) ?? []), isrc]);
        await tx`UPDATE ingestion_outbox SET isrc = ${to} WHERE id = ANY(${rows.map(({ id }) => id)})`;
      });
    },

    async cancel(sql: Sql, salt: number, status: 'skipped' | 'dead'): Promise<void> {
      const noteCancelled = (rows: TouchedRow[]) => {
        note(rows);
        for (const { title } of rows) touched.cancelled.add(title);
      };
      await noting(
        sql,
        noteCancelled,
        tx => tx<TouchedRow[]>`
        UPDATE ingestion_outbox SET status = ${status}, reason = ${cancelledByHand}, settled_at = now()
        WHERE ${some(tx, { open: true, salt })} ${returning(tx)}`,
      );
    },

    /** @param availableAt as PostgreSQL reads it, such as `-infinity` */
    async postpone(sql: Sql, salt: number, attempts: number, availableAt: string): Promise<void> {
      await sql`
        UPDATE ingestion_outbox SET attempts = ${attempts}, available_at = ${availableAt}::text::timestamptz
        WHERE ${some(sql, { open: true, salt })}`;
    },

    /** @returns what is wrong: the database refuses it with a sentence, or there was no row */
    async halfSetBack(sql: Sql, salt: number): Promise<string | null> {
      try {
        const changed = await sql`
          UPDATE ingestion_outbox SET status = 'pending' WHERE ${some(sql, { open: false, salt })} RETURNING id`;
        return changed.length === 0 ? null : 'the database took rows that are pending and settled';
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        if (code !== '23514') throw error;
        return message.includes('set settled_at = NULL with it') ? null : `rows were refused by "${message}"`;
      }
    },
  };
}

export type Hands = ReturnType<typeof handsOf>;

/** Notes what a statement does before it is committed. */
async function noting(
  sql: Sql,
  note: (rows: TouchedRow[]) => void,
  change: (tx: Sql) => PromiseLike<TouchedRow[]>,
): Promise<void> {
  await sql.begin(async transaction => {
    note(await change(transaction as unknown as Sql));
  });
}
