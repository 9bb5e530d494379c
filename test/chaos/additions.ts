import { setTimeout as wait } from 'node:timers/promises';
import type { Sql } from '@segue/database/connection.ts';
import type { Addition } from './model.ts';
import { readLibrary } from './observation.ts';
import type { Wish } from './workload.ts';

export type AdditionsOptions = {
  sql: Sql;
  /** Where the API is now; null while it is down. */
  apiAddress: () => string | null;
  /** The dedupe window that it is now. */
  window: () => number;
};

export type Additions = {
  /** Makes the addition, and does not rest until it is known to be made, or all are given up. Never throws. */
  make(wish: Wish): Promise<void>;
  /** Requests of another service, in one statement. @returns whether they are known to be committed. Never throws */
  insert(requests: { title: string; isrc: string; force: boolean }[]): Promise<boolean>;
  /** Notes requests that something else has made now, and that are committed. */
  note(requests: { title: string; isrc: string }[]): void;
  /** Puts tracks into a user's library and requests none, as before there was an outbox. @returns whether it is known to be done */
  own(user: string, items: { tidalId: string; title: string; isrc: string }[]): Promise<boolean>;
  giveUp(): void;
  /** Of additions that are not confirmed yet: what the API answered last. */
  unanswered(): string[];
  /** What should have come of all that was made until now. */
  read(sql: Sql): Promise<Addition[]>;
  /** Errors of the API that no client should ever see. */
  problems: string[];
};

const retryMs = 250;
const answerWithinMs = 20_000;

const outcomes = `
  __typename
  ... on CatalogItemNotFoundError { tidalId }
  ... on TidalApiUnavailableError { retryable }`;
const mutations = {
  track: `mutation ($id: ID!) { answer: addTrackToLibrary(input: {tidalTrackId: $id}) { ${outcomes} } }`,
  album: `mutation ($id: ID!) { answer: addAlbumToLibrary(input: {tidalAlbumId: $id}) { ${outcomes} } }`,
};

/** Adds to the library over GraphQL, and to the outbox by INSERT, as clients and other services do. */
export function startAdditions({ sql, apiAddress, window }: AdditionsOptions): Additions {
  const inserted: Addition[] = [];
  /** By TIDAL id: the window in which it was asked for, and whether it was said to be done. */
  const asked = new Map<string, { window: number; confirmed: boolean; last: string }>();
  const problems: string[] = [];
  let givenUp = false;

  async function insert(wish: Extract<Wish, { by: 'insert' }>): Promise<void> {
    const { title, isrc, spelled, force, holdMs, bytes } = wish;
    const album = 'Inserts'.padEnd(bytes, '.');
    const addition: Addition = { title, isrc, force, window: window(), confirmed: false };
    inserted.push(addition);
    try {
      // The row is written first and committed after the sleep: what comes later is visible earlier.
      await sql`
        WITH request AS (
          INSERT INTO ingestion_outbox (isrc, title, artist, album, force)
          VALUES (${spelled}, ${title}, 'Another Service', ${album}, ${force}) RETURNING id
        )
        SELECT pg_sleep(${holdMs / 1_000}::float8) FROM request`;
      addition.confirmed = true;
    } catch {
      // Whether it was committed is not known, and to ask again could make it twice.
    }
  }

  async function insertAll(requests: { title: string; isrc: string; force: boolean }[]): Promise<boolean> {
    const made = requests.map((request): Addition => ({ ...request, window: window(), confirmed: false }));
    for (const addition of made) inserted.push(addition);
    const rows = requests.map(request => ({ ...request, artist: 'Another Service', album: 'Inserts' }));
    try {
      await sql`
        INSERT INTO ingestion_outbox (isrc, title, artist, album, force)
        SELECT isrc, title, artist, album, force
        FROM json_to_recordset(${JSON.stringify(rows)}::text::json)
          AS given (isrc text, title text, artist text, album text, force boolean)`;
      for (const addition of made) addition.confirmed = true;
      return true;
    } catch {
      return false;
    }
  }

  async function own(
    user: string,
    items: { tidalId: string; title: string; isrc: string }[],
  ): Promise<boolean> {
    try {
      await sql`
        INSERT INTO library_tracks (user_id, tidal_track_id, title, artist_name, album_name, duration, explicit, isrc)
        SELECT ${user}, "tidalId", title, 'Somebody', 'From Before', 180, false, isrc
        FROM json_to_recordset(${JSON.stringify(items)}::text::json) AS given ("tidalId" text, title text, isrc text)`;
    } catch {
      return false;
    }
    for (const { tidalId } of items) asked.set(tidalId, { window: window(), confirmed: true, last: 'yes' });
    return true;
  }

  async function add({ by, tidalId }: Extract<Wish, { tidalId: string }>): Promise<void> {
    const state = { window: window(), confirmed: false, last: 'nothing' };
    asked.set(tidalId, state);
    while (!state.confirmed && !givenUp) {
      const answer = await tryToAdd(mutations[by], tidalId).catch(String);
      state.confirmed = answer === null;
      state.last = answer ?? 'yes';
      if (!state.confirmed) await wait(retryMs);
    }
  }

  /** @returns null when the library is said to hold it now; otherwise what was answered in place of that */
  async function tryToAdd(query: string, id: string): Promise<string | null> {
    const address = apiAddress();
    if (address === null) return 'no process';
    const response = await fetch(`${address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: { id } }),
      signal: AbortSignal.timeout(answerWithinMs),
    });
    const { data, errors } = (await response.json()) as {
      data?: { answer?: { __typename: string } };
      errors?: { message: string; extensions?: { code?: string } }[];
    };
    const outcome = data?.answer?.__typename ?? '';
    if (['LibraryTrack', 'LibraryAlbum', 'DuplicateLibraryItemError'].includes(outcome)) return null;
    const isClear =
      outcome === 'TidalApiUnavailableError' ||
      errors?.[0]?.extensions?.code === 'DATABASE_UNAVAILABLE' ||
      // Said by an API that is about to stop.
      response.status === 503;
    if (!isClear)
      problems.push(`adding ${id}, the API answered ${response.status}: ${JSON.stringify({ data, errors })}`);
    return `${response.status} ${outcome} ${errors?.[0]?.message ?? ''}`;
  }

  return {
    problems,
    make: wish => (wish.by === 'insert' ? insert(wish) : add(wish)),
    insert: insertAll,
    note(requests) {
      for (const { title, isrc } of requests)
        inserted.push({ title, isrc, force: false, window: window(), confirmed: true });
    },
    own,
    unanswered: () =>
      [...asked].flatMap(([id, { confirmed, last }]) => (confirmed ? [] : `item ${id}: ${last}`)),
    giveUp() {
      givenUp = true;
    },

    /**
     * What the library holds is what was added: an answer that was lost may have been a yes, and an album whose
     * listing could not be read is stored as far as it could.
     */
    async read(sql) {
      const items = await readLibrary(sql);
      const held = new Set(items.map(({ tidalId }) => tidalId));
      const missing = [...asked].filter(([tidalId, { confirmed }]) => confirmed && !held.has(tidalId));
      return [
        ...inserted,
        ...items.flatMap(({ tidalId, listing }) => {
          const windowThen = asked.get(tidalId)?.window ?? 0;
          return listing.map(({ title, isrc }): Addition => {
            return { title, isrc, force: false, window: windowThen, confirmed: true };
          });
        }),
        ...missing.map(([tidalId, { window: then }]): Addition => {
          return { title: `item ${tidalId}`, isrc: 'unknown', force: false, window: then, confirmed: true };
        }),
      ];
    },
  };
}
