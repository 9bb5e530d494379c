import type { Queryable } from '@segue/database/connection.ts';
import { eventProblem } from '@segue/ingestion/event.ts';
import { readIsrc } from '@segue/ingestion/isrc.ts';
import type { IngestionRequest } from '@segue/ingestion/request.ts';

/** Which items of the library are meant; all of what is given must fit. Names are compared without case. */
export type LibraryFilter = {
  user?: string | undefined;
  artist?: string | undefined;
  album?: string | undefined;
};

const tracksAtOnce = 1_000;
/** Albums have a dozen tracks mostly, and a hundred now and then. */
const albumsAtOnce = 100;

/** A recording as an item of the library has it. */
type ListedRecording = {
  itemId: string;
  isrc: string | null;
  title: string;
  artist: string;
  album: string;
  artworkUrl: string | null;
};

/**
 * Walks over the recordings of the library page by page, each once a page: single tracks first, then the listings of
 * albums. Recordings that cannot be requested (rule R9) are left out. Items are read in the order of their ids, so that a
 * walk takes the same time for each page; what is added behind it meanwhile has a request of its own.
 */
export async function* walkLibrary(
  db: Queryable,
  filter: LibraryFilter,
): AsyncGenerator<IngestionRequest[], void, void> {
  for (const readPage of [readTracks, readAlbums]) {
    for (let after: string | null = firstId; after !== null; ) {
      const page: Page = await readPage(db, filter, after);
      if (page.recordings.length > 0) yield requestsOf(page.recordings);
      after = page.next;
    }
  }
}

/** Below each id that a library item can have. */
const firstId = '00000000-0000-0000-0000-000000000000';

type Page = { recordings: ListedRecording[]; next: string | null };

async function readTracks(db: Queryable, filter: LibraryFilter, after: string): Promise<Page> {
  const recordings = await db<ListedRecording[]>`
    SELECT id AS "itemId", isrc, title, artist_name AS artist, album_name AS album, cover_art_url AS "artworkUrl"
    FROM library_tracks AS item
    WHERE id > ${after} AND ${fits(db, filter, 'album_name')}
    ORDER BY id LIMIT ${tracksAtOnce}`;
  return {
    recordings,
    next: recordings.length < tracksAtOnce ? null : (recordings.at(-1) as ListedRecording).itemId,
  };
}

async function readAlbums(db: Queryable, filter: LibraryFilter, after: string): Promise<Page> {
  const rows = await db<(ListedRecording & { albums: number; last: string })[]>`
    WITH page AS MATERIALIZED (
      SELECT id, title, artist_name, cover_art_url, track_listing FROM library_albums AS item
      WHERE id > ${after} AND ${fits(db, filter, 'title')}
      ORDER BY id LIMIT ${albumsAtOnce}
    )
    SELECT page.id AS "itemId", listed.isrc, listed.title, page.artist_name AS artist, page.title AS album,
      page.cover_art_url AS "artworkUrl",
      (SELECT count(*)::int FROM page) AS albums, (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last
    FROM page LEFT JOIN LATERAL jsonb_to_recordset(page.track_listing) AS listed (isrc text, title text) ON true`;
  const [first] = rows;
  return { recordings: rows, next: first && first.albums === albumsAtOnce ? first.last : null };
}

function fits(db: Queryable, { user, artist, album }: LibraryFilter, albumColumn: string) {
  return db`${user === undefined ? db`true` : db`user_id = ${user}`}
    AND ${artist === undefined ? db`true` : db`lower(artist_name) = lower(${artist})`}
    AND ${album === undefined ? db`true` : db`lower(${db(albumColumn)}) = lower(${album})`}`;
}

/** Those that an addition would request, each once. */
function requestsOf(recordings: ListedRecording[]): IngestionRequest[] {
  const requests = new Map<string, IngestionRequest>();
  for (const { isrc: given, title, artist, album, artworkUrl } of recordings) {
    const reading = readIsrc(given);
    if ('problem' in reading || requests.has(reading.isrc)) continue;
    const request = { isrc: reading.isrc, title, artist, album, ...(artworkUrl ? { artworkUrl } : {}) };
    // An empty album of a walk has a row of nulls.
    if (eventProblem({ ...request, priority: 0, force: false }) === null) requests.set(reading.isrc, request);
  }
  return [...requests.values()];
}
