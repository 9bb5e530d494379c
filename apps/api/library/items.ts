import { type libraryAlbums, type libraryTracks, sortKey } from '@segue/database/schema.ts';
import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../database.ts';
import { InputError } from './inputError.ts';
import type { Page } from './page.ts';

/** Tracks and albums are listed, fetched and removed in the same way. */
type LibraryTable = typeof libraryTracks | typeof libraryAlbums;
type Item<Table extends LibraryTable> = Table['$inferSelect'];

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/**
 * A user's items by artist, then title.
 *
 * A page begins at a place in the index and not at a count, so that the last one costs what the first does, and
 * what is added or removed meanwhile neither repeats an item nor leaves one out.
 *
 * @throws InputError when `after` is no item of the user's
 */
export async function listItems<Table extends LibraryTable>(
  database: Database,
  table: Table,
  userId: string,
  { first, after }: Page,
): Promise<Item<Table>[]> {
  const [artist, title] = sortKey(table);
  const beyond =
    after === null
      ? undefined
      : sql`(${artist}, ${title}, ${table.id}) > ${await placeOf(database, table, userId, after)}`;
  return await database.drizzle
    .select()
    .from<LibraryTable>(table)
    .where(and(eq(table.userId, userId), beyond))
    .orderBy(artist, title, table.id)
    .limit(first);
}

async function placeOf(database: Database, table: LibraryTable, userId: string, id: string): Promise<SQL> {
  const item = await findItem(database, table, userId, id);
  if (item === null) {
    throw new InputError(
      'after must be the id of the last item of the page before, and the library holds none of that id',
    );
  }
  return sql`(left(${item.artistName}, 200), left(${item.title}, 200), ${item.id})`;
}

/** @returns null when the user has no such item; also for what can be no id */
export async function findItem<Table extends LibraryTable>(
  { drizzle }: Database,
  table: Table,
  userId: string,
  id: string,
): Promise<Item<Table> | null> {
  if (!uuid.test(id)) return null;
  const [item] = await drizzle
    .select()
    .from<LibraryTable>(table)
    .where(owned(table, userId, id));
  return item ?? null;
}

/**
 * Removes an item. Requests for its recordings stand (rule R10).
 *
 * @returns whether there was one
 */
export async function removeItem(
  { drizzle }: Database,
  table: LibraryTable,
  userId: string,
  id: string,
): Promise<boolean> {
  if (!uuid.test(id)) return false;
  const removed = await drizzle
    .delete(table)
    .where(owned(table, userId, id))
    .returning({ id: table.id });
  return removed.length > 0;
}

function owned(table: LibraryTable, userId: string, id: string): SQL | undefined {
  return and(eq(table.id, id), eq(table.userId, userId));
}
