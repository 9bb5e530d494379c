import { type SQL, sql } from 'drizzle-orm';
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';

/** Text that sorts as people read it ("abba" before "Björk" before "Zappa"), the same on every server. */
const sortableText = customType<{ data: string }>({ dataType: () => 'text COLLATE "und-x-icu"' });

/** Text that is ASCII by its nature, compared byte by byte: half the cost of a locale's comparison. */
export const asciiText = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' });

export const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });

/**
 * What lists are sorted by. A B-tree entry holds at most 2,704 bytes, so the sort looks at the first 200
 * characters (800 bytes at the most) of each; a longer title must not make an addition fail.
 */
export function sortKey(table: { artistName: AnyPgColumn; title: AnyPgColumn }): [SQL, SQL] {
  return [sql`left(${table.artistName}, 200)`, sql`left(${table.title}, 200)`];
}

/** One recording of an album's listing, as `library_albums.track_listing` keeps it. */
export type ListedTrack = {
  /** 1 to n over all volumes. */
  position: number;
  title: string;
  /** Seconds. */
  duration: number;
  tidalId: string;
  explicit: boolean;
  /** Normalised where it is valid, as TIDAL gave it where it is not, null where TIDAL gave none. */
  isrc: string | null;
};

export const libraryTracks = pgTable(
  'library_tracks',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    userId: text('user_id').notNull(),
    tidalTrackId: text('tidal_track_id').notNull(),
    title: sortableText('title').notNull(),
    artistName: sortableText('artist_name').notNull(),
    albumName: text('album_name').notNull(),
    /** Seconds. */
    duration: integer('duration').notNull(),
    coverArtUrl: text('cover_art_url'),
    explicit: boolean('explicit').notNull(),
    isrc: text('isrc'),
    createdAt: moment('created_at').notNull().defaultNow(),
    /** Whether TIDAL has still to be asked for the ISRC. Null: stored by a version that did not say. */
    isrcOwed: boolean('isrc_owed'),
  },
  table => [
    index('library_tracks_unjudged').on(table.id).where(sql`${table.isrcOwed} IS NULL`),
    unique('library_tracks_user_track').on(table.userId, table.tidalTrackId),
    index('library_tracks_listing').on(table.userId, ...sortKey(table), table.id),
  ],
);

export const libraryAlbums = pgTable(
  'library_albums',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    userId: text('user_id').notNull(),
    tidalAlbumId: text('tidal_album_id').notNull(),
    title: sortableText('title').notNull(),
    artistName: sortableText('artist_name').notNull(),
    coverArtUrl: text('cover_art_url'),
    /** As TIDAL gives it: `2017-06-30`, sometimes a year alone. */
    releaseDate: text('release_date'),
    trackCount: integer('track_count').notNull(),
    trackListing: jsonb('track_listing').$type<ListedTrack[]>().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    /** For how many tracks TIDAL has still to be asked. Null: stored by a version that did not say. */
    tracksOwed: integer('tracks_owed'),
  },
  table => [
    index('library_albums_unjudged').on(table.id).where(sql`${table.tracksOwed} IS NULL`),
    unique('library_albums_user_album').on(table.userId, table.tidalAlbumId),
    index('library_albums_listing').on(table.userId, ...sortKey(table), table.id),
  ],
);

/**
 * Where removed items stood in their lists, for a day: the id of one that is gone still says where a page begins. A
 * removal deletes some of those that are older.
 */
export const libraryRemovals = pgTable(
  'library_removals',
  {
    id: uuid('id').primaryKey(),
    userId: text('user_id').notNull(),
    /** As `sortKey` has it: the first 200 characters. */
    artistName: sortableText('artist_name').notNull(),
    title: sortableText('title').notNull(),
    removedAt: moment('removed_at').notNull().defaultNow(),
  },
  table => [index('library_removals_removed').on(table.removedAt)],
);

/**
 * The library items for which TIDAL has still to be asked (rule R11): albums whose listing is not complete, and single
 * tracks whose ISRC was not to be had. Written with the item, and deleted when nothing is owed any more, or with the item.
 *
 * A row is waiting, then leased by an API process, and then waiting again or gone. `available_at` is from when on a
 * process may take it: the next attempt, or the end of the lease.
 */
export const catalogPending = pgTable(
  'catalog_pending',
  {
    /** In `library_albums` or `library_tracks`. */
    itemId: uuid('item_id').primaryKey(),
    kind: text('kind', { enum: ['album', 'track'] }).notNull(),
    tidalId: text('tidal_id').notNull(),
    /** How far an album's listing was read; null for a track. */
    owed: jsonb('owed'),
    /** As in the library: what the total of the album's batch counts in advance. */
    tracksOwed: integer('tracks_owed').notNull(),
    /** Null until a recording of the album was requested. */
    albumBatchId: bigint('album_batch_id', { mode: 'number' }),
    createdAt: moment('created_at').notNull().defaultNow(),
    availableAt: moment('available_at').notNull().defaultNow(),
    /** The claim that holds the row, new at each claim. Only its holder may write. */
    lease: uuid('lease'),
    /** Failures in a row. */
    attempts: integer('attempts').notNull().default(0),
    failingSince: moment('failing_since'),
    lastError: text('last_error'),
    /** Of the request that added the item, as in `ingestion_outbox`. */
    requestId: uuid('request_id'),
    traceparent: text('traceparent'),
  },
  table => [
    check('catalog_pending_kind_known', sql`${table.kind} IN ('album', 'track')`),
    index('catalog_pending_due').on(table.kind, table.availableAt),
  ],
);

/**
 * One row per request. The eight-byte columns come first, so that no padding stands between them.
 *
 * `available_at` is the one answer to "from when on may a relay send this request?": the moment of the request, or of its
 * next attempt. Status is text and not an enum, so that another
 * service can compare it with any text parameter.
 */
export const ingestionOutbox = pgTable(
  'ingestion_outbox',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
    availableAt: moment('available_at').notNull().defaultNow(),
    createdAt: moment('created_at').notNull().defaultNow(),
    settledAt: moment('settled_at'),
    /** Set by an album's request; the last of its rows to be settled closes the batch. */
    albumBatchId: bigint('album_batch_id', { mode: 'number' }),
    /** Of relays before migration 0017, which leased rows; nothing writes or reads it any more. */
    lease: uuid('lease'),
    /** Refusals of this row by Inngest. An outage counts none. */
    attempts: integer('attempts').notNull().default(0),
    /** The generation in the id of the event that was accepted. */
    generation: integer('generation'),
    priority: smallint('priority').notNull().default(0),
    force: boolean('force').notNull().default(false),
    status: text('status', { enum: ['pending', 'in_flight', 'scheduled', 'skipped', 'dead'] })
      .notNull()
      .default('pending'),
    isrc: asciiText('isrc').notNull(),
    title: text('title').notNull(),
    artist: text('artist').notNull(),
    album: text('album').notNull(),
    artworkUrl: text('artwork_url'),
    reason: text('reason'),
    lastError: text('last_error'),
    /** The id of the API's answer that made the request, as its log lines have it. */
    requestId: uuid('request_id'),
    /** W3C trace context of who made the request. Nothing validates it: no bad value may refuse a row. */
    traceparent: text('traceparent'),
  },
  table => [
    // The form of the ISRC is held by the trigger that normalises it, when it is written: a check would run its
    // regular expression again at each settlement, 6 % of what PostgreSQL does for a row.
    check('ingestion_outbox_priority_range', sql`${table.priority} BETWEEN -600 AND 600`),
    // Where neither is true, the function refuses the row with a sentence.
    check(
      'ingestion_outbox_status_fits',
      sql`(${table.status} IN ('pending', 'in_flight') AND ${table.settledAt} IS NULL)
        OR (${table.status} IN ('scheduled', 'skipped', 'dead') AND ${table.settledAt} IS NOT NULL)
        OR refuse_outbox_status(${table.status})`,
    ),
    // For people, the oldest first. Open rows alone: settled history, however long, is not in it.
    index('ingestion_outbox_open').on(table.createdAt, table.id).where(sql`${table.settledAt} IS NULL`),
    // For relays: a slot's open rows, in the order in which they are due. It says "open" in other words than the index
    // above, so that a statement can use one of the two alone. Statistics that were taken while nothing was open make
    // both equally cheap, and a relay then walked 20,000 rows for each slot.
    index('ingestion_outbox_open_by_slot')
      .on(sql`recording_slot(${table.isrc})`, table.availableAt, table.id)
      .where(sql`${table.status} IN ('pending', 'in_flight')`),
    // For people: what is dead, and the story of a recording. An entry is made when a request is settled, none before.
    index('ingestion_outbox_dead_by_age').on(table.createdAt, table.id).where(sql`${table.status} = 'dead'`),
    index('ingestion_outbox_settled_by_isrc').on(table.isrc).where(sql`${table.settledAt} IS NOT NULL`),
  ],
);

/**
 * What became of a recording: when it was sent, under which generation, and when it was seen in the index. Written with
 * the settlement, so that it says "sent" when something was sent, and never before. Rows stay for good: the generation must
 * never start over, since Inngest drops a repeated event id.
 */
export const ingestionLedger = pgTable(
  'ingestion_ledger',
  {
    isrc: asciiText('isrc').notNull(),
    /** The request that was settled last, of those that could have been sent. */
    outboxId: bigint('outbox_id', { mode: 'number' }).notNull(),
    /** When the last sending was settled, after Inngest had accepted it. Null: never sent. */
    sentAt: moment('sent_at'),
    /** Of relays before migration 0017; nothing writes or reads it any more. */
    priorSentAt: moment('prior_sent_at'),
    /** When a relay last saw the recording in the index. */
    indexedAt: moment('indexed_at'),
    generation: integer('generation').notNull(),
    /** Why that request is dead. */
    deadReason: text('dead_reason'),
  },
  table => [
    primaryKey({ name: 'ingestion_ledger_pkey', columns: [table.isrc] }),
    // What was sent and not seen in the index since: that alone is looked for, however long the history is.
    index('ingestion_ledger_unconfirmed')
      .on(table.sentAt, table.isrc)
      .where(
        sql`${table.sentAt} IS NOT NULL AND (${table.indexedAt} IS NULL OR ${table.indexedAt} < ${table.sentAt})`,
      ),
  ],
);

/**
 * The rows of one album's request, counted down as they are settled. While the listing is completed, `total_tracks` counts
 * the tracks that are owed in advance, so that the batch stays open until the last of them is settled or given up.
 */
export const albumIngestionBatches = pgTable(
  'album_ingestion_batches',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
    createdAt: moment('created_at').notNull().defaultNow(),
    /** For people; null where an older version made the request. */
    artist: text('artist'),
    album: text('album'),
    totalTracks: integer('total_tracks').notNull(),
    scheduledCount: integer('scheduled_count').notNull().default(0),
    skippedCount: integer('skipped_count').notNull().default(0),
    deadCount: integer('dead_count').notNull().default(0),
  },
  table => [
    // Of those that are not through, so that nobody walks over a week of albums to find them.
    index('album_ingestion_batches_open')
      .on(table.id)
      .where(sql`total_tracks - scheduled_count - skipped_count - dead_count > 0`),
  ],
);
