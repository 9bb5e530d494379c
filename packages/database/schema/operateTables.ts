import { bigint, doublePrecision, index, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core';
import { asciiText, moment } from './tables.ts';

/** What people did to the outbox, by psql, the command line or the console. */
export const ingestionActions = pgTable(
  'ingestion_actions',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
    at: moment('at').notNull().defaultNow(),
    /** Who did it: the user of the database, or the person that the command line or the console names. */
    actor: text('actor').notNull(),
    /** What was done: `requeue`, `discard`, `reschedule`, `release_stuck`, `pause`, `resume`, `prune`. */
    action: text('action').notNull(),
    /** Why, in the person's words. */
    reason: text('reason').notNull(),
    /** How many rows it changed. */
    rows: integer('rows').notNull(),
    /** What it was about, as it was asked: `{"ids": [1, 2]}`, `{"filter": {"error": "429"}}`. */
    selection: jsonb('selection').notNull(),
    /** `application_name` of the session: `psql`, `segue-outbox`, `segue-relay`. */
    source: text('source').notNull(),
    /** The requests that it changed, the first 10,000 of them. */
    outboxIds: bigint('outbox_ids', { mode: 'number' }).array().notNull(),
  },
  table => [index('ingestion_actions_newest').on(table.at, table.id)],
);

/** What all relays did, minute by minute. Each adds its own every few seconds, so a killed one takes some seconds along. */
export const ingestionFigures = pgTable('ingestion_figures', {
  minute: moment('minute').primaryKey(),
  requested: integer('requested').notNull().default(0),
  scheduled: integer('scheduled').notNull().default(0),
  alreadyIndexed: integer('already_indexed').notNull().default(0),
  duplicate: integer('duplicate').notNull().default(0),
  dead: integer('dead').notNull().default(0),
  /** Answers that refused a request which is tried again. */
  refused: integer('refused').notNull().default(0),
  /** Sent anew since they had vanished. */
  reconciled: integer('reconciled').notNull().default(0),
  /** Sent requests by seconds from commit to sent: one count for each bucket of `lagBuckets`, and one for what is above. */
  lag: integer('lag').array().notNull().default([]),
  /** The highest id counted in `requested`; the newest minute says from where to count on. */
  lastId: bigint('last_id', { mode: 'number' }),
});

/**
 * How much was lately given to the worker: a bucket that leaks as fast as the worker works. What requests recordings in
 * bulk looks here first, so that two terminals together are no faster than one. The functions in `drizzle/` alone read and
 * write it.
 */
export const ingestionMeters = pgTable('ingestion_meters', {
  /** What is metered: `backfill` (with `reindex`). */
  name: text('name').primaryKey(),
  /** Requests that the worker still has to work on, as of `at`. */
  level: doublePrecision('level').notNull().default(0),
  at: moment('at').notNull().defaultNow(),
  /** The highest id of a request that `level` counts. */
  countedId: bigint('counted_id', { mode: 'number' }),
});

/**
 * Recordings that were sent, did not reach the index, and were sent anew. A recording leaves it when it is seen in the index,
 * or when it has failed for good.
 */
export const ingestionReconciled = pgTable('ingestion_reconciled', {
  isrc: asciiText('isrc').primaryKey(),
  /** How often it was sent anew since it was last seen in the index. */
  times: integer('times').notNull(),
  lastAt: moment('last_at').notNull().defaultNow(),
});
