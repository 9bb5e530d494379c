import { type libraryAlbums, type libraryTracks, sortKey } from '@segue/database/schema/tables.ts';
import { and, desc, eq, getTableColumns, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../database.ts';
import { type Place, readCursor } from './cursor.ts';
import { conditionsOf, type LibraryFilter } from './filter.ts';
import { InputError } from './inputError.ts';
import type { Page } from './page.ts';
import { isUuid } from './uuid.ts';

/** Tracks and albums are listed, fetched and removed in the same way. */
export type LibraryTable = typeof libraryTracks | typeof libraryAlbums;
/** A row without an album's listing, which can have hundreds of tracks: `listings.ts` reads it where it is asked for. */
export type Item<Table extends LibraryTable> = Omit<Table['$inferSelect'], 'trackListing'>;

function columnsOf(table: LibraryTable) {
  const { trackListing: _, ...columns } = { trackListing: null, ...getTableColumns<LibraryTable>(table) };
  return columns;
}

/** A user's tracks or albums, by artist, then title; all of them, or those that a filter lets through. */
export type List<Table extends LibraryTable> = {
  database: Database;
  table: Table;
  userId: string;
  filter: LibraryFilter;
};

/** A page of a list, and whether the list goes on behind its end (before its beginning, for a page from the end). */
export type ListedPage<Table extends LibraryTable> = { items: Item<Table>[]; more: boolean };

/**
 * A page begins at a place in the index and not at a count, so that the last one costs what the first does, and
 * what is added or removed meanwhile neither repeats an item nor leaves one out.
 *
 * @throws InputError when `after` or `before` is neither a cursor nor an item of the user's
 */
export async function listItems<Table extends LibraryTable>(
  list: List<Table>,
  { size, fromEnd, after, before }: Page,
): Promise<ListedPage<Table>> {
  const { database, table } = list;
  const bounds = [
    after === null ? undefined : compared(table, '>', await placeOf(list, 'after', after)),
    before === null ? undefined : compared(table, '<', await placeOf(list, 'before', before)),
  ];
  const key = [...sortKey(table), table.id];
  const items = (await database.drizzle
    .select(columnsOf(table))
    .from<LibraryTable>(table)
    .where(and(isListed(list), ...bounds))
    .orderBy(...(fromEnd ? key.map(column => desc(column)) : key))
    .limit(size + 1)) as Item<Table>[];
  const more = items.length > size;
  if (more) items.pop();
  return { items: fromEnd ? items.reverse() : items, more };
}

/** How many items a list has. */
export async function countItems(list: List<LibraryTable>): Promise<number> {
  const [row] = await list.database.drizzle
    .select({ count: sql<number>`count(*)::int` })
    .from<LibraryTable>(list.table)
    .where(isListed(list));
  return row?.count ?? 0;
}

/**
 * Whether a list has items in front of a page: at `after` or before it; behind it, for a page from the end.
 *
 * @throws InputError as {@link listItems}
 */
export async function hasItemsInFront(
  list: List<LibraryTable>,
  { fromEnd, after, before }: Page,
): Promise<boolean> {
  const { database, table } = list;
  const bound = fromEnd ? before : after;
  if (bound === null) return false;
  const place = await placeOf(list, fromEnd ? 'before' : 'after', bound);
  const key = [...sortKey(table), table.id];
  const found = await database.drizzle
    .select({ id: table.id })
    .from<LibraryTable>(table)
    .where(and(isListed(list), compared(table, fromEnd ? '>=' : '<=', place)))
    // The nearest one, so that it is looked for in the index of the list and not in the table.
    .orderBy(...(fromEnd ? key : key.map(column => desc(column))))
    .limit(1);
  return found.length > 0;
}

function isListed({ table, userId, filter }: List<LibraryTable>): SQL | undefined {
  return and(eq(table.userId, userId), ...conditionsOf(table, filter));
}

function compared(table: LibraryTable, comparison: '<' | '<=' | '>' | '>=', place: Place): SQL {
  const [artist, title] = sortKey(table);
  return sql`(${artist}, ${title}, ${table.id}) ${sql.raw(comparison)} (${place.artist}, ${place.title}, ${place.id}::uuid)`;
}

/**
 * A cursor holds its place. The id of an item is looked up, also of one that was removed within the last day: clients
 * of the plain lists know ids alone.
 */
async function placeOf(
  { database, table, userId }: List<LibraryTable>,
  argument: 'after' | 'before',
  given: string,
): Promise<Place> {
  const place = isUuid(given) ? await placeOfItem(database, table, userId, given) : readCursor(given);
  if (place !== null) return place;
  throw new InputError(
    `${argument} must be a cursor of the list, or the id of an item, and this is neither in this library`,
  );
}

async function placeOfItem(
  { drizzle }: Database,
  table: LibraryTable,
  userId: string,
  id: string,
): Promise<Place | null> {
  const [artist, title] = sortKey(table);
  const [place] = await drizzle.execute<Place>(sql`
    SELECT ${artist} AS artist, ${title} AS title, ${table.id} FROM ${table} WHERE ${owned(table, userId, id)}
    UNION ALL
    SELECT artist_name, title, id FROM library_removals WHERE id = ${id} AND user_id = ${userId}`);
  return place ?? null;
}

/** @returns null when the user has no such item; also for what can be no id */
export async function findItem<Table extends LibraryTable>(
  { drizzle }: Database,
  table: Table,
  userId: string,
  id: string,
): Promise<Item<Table> | null> {
  if (!isUuid(id)) return null;
  const [item] = await drizzle
    .select(columnsOf(table))
    .from<LibraryTable>(table)
    .where(owned(table, userId, id));
  return (item as Item<Table> | undefined) ?? null;
}

/** How many places of removed items a removal forgets at the most: more than it adds, so that old ones run out. */
const forgottenAtOnce = 10;

/**
 * Removes an item, and keeps its place in the list for a day: a client that removes items while it pages goes on
 * behind the last one by its id. Requests for its recordings stand (rule R10).
 *
 * @returns whether there was one
 */
export async function removeItem(
  { drizzle }: Database,
  table: LibraryTable,
  userId: string,
  id: string,
): Promise<boolean> {
  if (!isUuid(id)) return false;
  const [artist, title] = sortKey(table);
  const removed = await drizzle.execute(sql`
    WITH removed AS (
      DELETE FROM ${table} WHERE ${owned(table, userId, id)}
      RETURNING ${table.id}, user_id, ${artist} AS artist_name, ${title} AS title
    ),
    kept AS (
      INSERT INTO library_removals (id, user_id, artist_name, title)
      SELECT id, user_id, artist_name, title FROM removed
    ),
    forgotten AS (
      DELETE FROM library_removals WHERE id IN (
        SELECT id FROM library_removals WHERE removed_at < now() - interval '1 day'
        ORDER BY removed_at LIMIT ${forgottenAtOnce} FOR UPDATE SKIP LOCKED
      )
    )
    SELECT id FROM removed`);
  return removed.length > 0;
}

function owned(table: LibraryTable, userId: string, id: string): SQL | undefined {
  return and(eq(table.id, id), eq(table.userId, userId));
}
