import type { Queryable } from '@segue/database/connection.ts';
import { getTableColumns, getTableName } from 'drizzle-orm';
import type { PendingQuery } from 'postgres';
import type { LibraryTable } from './items.ts';

/** An item as it is stored: the database makes its id and the moment of its addition. */
export type NewItem<Table extends LibraryTable> = Omit<Table['$inferSelect'], 'id' | 'createdAt'>;

export type StoredItem = { id: string; createdAt: string };

/**
 * An INSERT of an item, to be run alone or inside another statement. Its columns are those of the item, by the names
 * that the schema gives them, so that they are listed nowhere else.
 */
export function insertItem<Table extends LibraryTable>(
  db: Queryable,
  table: Table,
  item: NewItem<Table>,
): PendingQuery<StoredItem[]> {
  const columns: Record<string, { name: string }> = getTableColumns<LibraryTable>(table);
  const values: Record<string, string | number | boolean | null> = Object.fromEntries(
    Object.entries(item).map(([key, value]) => [
      columns[key]?.name as string,
      Array.isArray(value) ? JSON.stringify(value) : value,
    ]),
  );
  const name: string = getTableName<LibraryTable>(table);
  return db<StoredItem[]>`
    INSERT INTO ${db(name)} ${db(values)} RETURNING id, created_at AS "createdAt"`;
}
