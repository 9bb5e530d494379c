import { isUuid } from './uuid.ts';

/** A place in a list: the sort key of an item, which need not be there any longer. */
export type Place = { artist: string; title: string; id: string };

/** Of a name or title as many characters count as the index of the list holds. */
const sortedCharacters = 200;

/** The place of an item, as text that clients hand back: base64url of its sort key. */
export function cursorOf({
  artistName,
  title,
  id,
}: {
  artistName: string;
  title: string;
  id: string;
}): string {
  return Buffer.from(JSON.stringify([start(artistName), start(title), id])).toString('base64url');
}

/** @returns null for what is no cursor of ours */
export function readCursor(cursor: string): Place | null {
  const [artist, title, id, ...rest] = parsed(Buffer.from(cursor, 'base64url').toString());
  if (!isKey(artist) || !isKey(title) || typeof id !== 'string' || !isUuid(id) || rest.length > 0)
    return null;
  return { artist, title, id };
}

/** By characters, as PostgreSQL's left() counts them, and not by UTF-16 units. */
function start(text: string): string {
  return text.length <= sortedCharacters ? text : [...text].slice(0, sortedCharacters).join('');
}

function parsed(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

/** PostgreSQL's text holds no NUL. */
function isKey(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 2 * sortedCharacters && !value.includes('\0');
}
