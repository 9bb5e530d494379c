import type { Queryable } from '@segue/database/connection.ts';
import type { Isrc } from '@segue/ingestion/isrc.ts';
import type { PendingQuery, Row } from 'postgres';

/** An open request as a relay reads it, and what the ledger knows of its recording. */
export type OpenRow = {
  /** A text: an id beyond 2^53, as other services may give it, has no exact number. */
  id: string;
  slot: number;
  isrc: Isrc;
  title: string;
  artist: string;
  album: string;
  artworkUrl: string | null;
  priority: number;
  force: boolean;
  /** Refusals so far. */
  attempts: number;
  /** When it was requested, in ms since 1970; never in the future of the database, never before the year 2000. */
  requestedMs: number;
  /** As PostgreSQL writes it, since a Date would lose its microseconds. */
  availableAt: string;
  /** Of the API's answer that made the request. */
  requestId: string | null;
  /** W3C trace context of who made the request. Nothing has validated it. */
  traceparent: string | null;
  /** Of the four texts, in UTF-8. Beyond {@link longestTexts} the texts are cut to their first characters. */
  bytes: number;
  /** Of the last request that could have been sent; 0 when there was none. */
  generation: number;
  /** Sent within the dedupe window (rule R5). */
  isSent: boolean;
};

/** Bytes of texts that are read whole. Inngest takes no event of more than 3 MiB. */
export const longestTexts = 3 * 1024 * 1024;

/** In characters: W3C's has 55. A longer one is no traceparent, and its bytes count nowhere. */
const longestTraceparent = 64;

/** What is left of longer ones, in characters, for the log. */
const cutTo = 200;

/** The texts of a request that its event has, by the name that {@link OpenRow} gives them. */
const texts = { title: 'title', artist: 'artist', album: 'album', artworkUrl: 'artwork_url' } satisfies {
  [Name in keyof OpenRow]?: string;
};

/** The columns of {@link OpenRow} that stand in the outbox, from a table or subquery of the given name with `slot` and `bytes`. */
export function openRowColumns(db: Queryable, from: PendingQuery<Row[]>): PendingQuery<Row[]> {
  const bounded = Object.entries(texts).map(([name, column]) => {
    const value = db`${from}.${db(column)}`;
    return db`CASE WHEN ${from}.bytes > ${longestTexts} THEN left(${value}, ${cutTo}) ELSE ${value} END AS ${db(name)}`;
  });
  return db`
    ${from}.id::text AS id, ${from}.slot, ${from}.isrc, ${bounded.reduce((all, each) => db`${all}, ${each}`)},
    ${from}.priority, ${from}.force, ${from}.attempts,
    trunc(extract(epoch FROM least(greatest(${from}.created_at, '2000-01-01Z'), now())) * 1000)::float8 AS "requestedMs",
    ${from}.available_at::text AS "availableAt", ${from}.request_id AS "requestId",
    left(${from}.traceparent, ${longestTraceparent}) AS traceparent, ${from}.bytes`;
}

/** The bytes of a row's texts. Of a long text the length alone is read, not the text. */
export function bytesOf(db: Queryable, from: PendingQuery<Row[]>): PendingQuery<Row[]> {
  return Object.values(texts)
    .map(column => db`coalesce(octet_length(${from}.${db(column)}), 0)`)
    .reduce((sum, each) => db`${sum} + ${each}`);
}
