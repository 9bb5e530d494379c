import { libraryAlbums, libraryTracks } from '@segue/database/schema/tables.ts';
import { type SQL, sql } from 'drizzle-orm';
import type { IngestionStatus } from '../ingestion/status.ts';
import { hasStatus } from '../ingestion/statusInSql.ts';
import { InputError } from './inputError.ts';

/** Which items of a list are asked for: those that all of the conditions hold for. */
export type LibraryFilter = {
  /** One of these is the status of the track, or of a track on the album. */
  status?: IngestionStatus[] | null;
  /** Stands in the artist's name or in the title, in upper or lower case. */
  text?: string | null;
  /** At this moment or later. */
  addedAfter?: Date | null;
  /** Before this moment. */
  addedBefore?: Date | null;
};

const longestText = 200;

/** @throws InputError for a text that is too long, or that no name can hold */
export function checkFilter({ text }: LibraryFilter): void {
  if (text === null || text === undefined) return;
  if (text.length > longestText) {
    throw new InputError(`filter.text must have ${longestText} characters at the most`);
  }
  if (text.includes('\0')) throw new InputError('filter.text must not have the character U+0000');
}

/** The conditions of a filter on a user's items. */
export function conditionsOf(
  table: typeof libraryTracks | typeof libraryAlbums,
  { status, text, addedAfter, addedBefore }: LibraryFilter,
): SQL[] {
  const conditions: SQL[] = [];
  if (text) {
    // In the collation of the columns: the database's own may know ASCII's letters alone.
    const wanted = sql`lower(${text} COLLATE "und-x-icu")`;
    conditions.push(
      sql`(strpos(lower(${table.artistName}), ${wanted}) > 0 OR strpos(lower(${table.title}), ${wanted}) > 0)`,
    );
  }
  if (addedAfter) conditions.push(sql`${table.createdAt} >= ${addedAfter.toISOString()}`);
  if (addedBefore) conditions.push(sql`${table.createdAt} < ${addedBefore.toISOString()}`);
  if (status) conditions.push(table === libraryTracks ? trackHas(status) : albumHas(status));
  return conditions;
}

function trackHas(statuses: IngestionStatus[]): SQL {
  const { isrc, title, createdAt } = libraryTracks;
  return hasStatus({ isrc: sql`${isrc}`, title: sql`${title}`, requestedAt: sql`${createdAt}` }, statuses);
}

function albumHas(statuses: IngestionStatus[]): SQL {
  const { trackListing, createdAt } = libraryAlbums;
  const listed = { isrc: sql`listed.isrc`, title: sql`listed.title`, requestedAt: sql`${createdAt}` };
  return sql`EXISTS (
    SELECT FROM jsonb_to_recordset(${trackListing}) AS listed (isrc text, title text)
    WHERE ${hasStatus(listed, statuses)}
  )`;
}
