/** Who writes a line; `every process` where it comes from packages/process. */
export type LoggedBy = 'api' | 'relay' | 'worker' | 'migrate' | 'stand-in' | 'every process';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export type LogEventEntry = {
  /** The levels that the line comes at. The type of the logger allows no other. */
  levels: readonly LogLevel[];
  by: readonly LoggedBy[];
  /** What has happened. */
  when: string;
  /** What somebody who reads the line should do. */
  action: string;
};

/**
 * Every line of the log has one of these in its field `event`. To add one: a key here, a call of the logger with it,
 * and `npx vitest run --project unit test/architecture/logEvents -u`, which writes docs/log-events.md anew.
 */
export const logEvents = {
  // Requests
  ingestion_requested: {
    levels: ['info'],
    by: ['api'],
    when: 'The outbox row of a recording is committed, together with the library item.',
    action: 'Nothing.',
  },
  ingestion_skipped: {
    levels: ['warn', 'info'],
    by: ['api', 'relay', 'worker'],
    when:
      'Nothing is sent, for the `reason` given. api, warn: `missing_isrc` or `invalid_isrc`; the item is stored, and ' +
      'nothing is requested. relay, warn: `already_indexed`. relay, info: `duplicate`. worker, info: ' +
      '`already_indexed`, when the recording was indexed after its event was sent.',
    action:
      'Nothing. Many of `missing_isrc` at once: TIDAL may have changed its answers. Many of `already_indexed`: ' +
      'somebody requests what is in the index, a backfill for example.',
  },
  validation_error: {
    levels: ['warn'],
    by: ['api'],
    when: 'A track that is stored makes no valid event, because its title is empty for example. `error` says why.',
    action: 'Correct the metadata at TIDAL, remove the item and add it again.',
  },
  album_track_listing_error: {
    levels: ['error'],
    by: ['api'],
    when: 'The listing of an album, or a part of it, was missing when the album was added. `error` says why.',
    action:
      'Nothing, unless it goes on: the album is stored with the tracks that there were, and what TIDAL could not be asked ' +
      'for is completed later. See the view `ingestion_catalog_pending`.',
  },
  catalog_completed: {
    levels: ['info'],
    by: ['api'],
    when:
      'TIDAL has answered for all that was owed of an album or a track. Carries `tidalId`, and for an album ' +
      '`total_tracks`, the length of its listing.',
    action: 'Nothing.',
  },
  catalog_completion_failed: {
    levels: ['warn'],
    by: ['api'],
    when: 'TIDAL could not be asked for what is owed of an album or a track. `error` says why. It is tried again.',
    action:
      'When it goes on for long: see `last_error` in the view `ingestion_catalog_pending`, and what `tidal_error` asks for.',
  },
  catalog_holes_found: {
    levels: ['info'],
    by: ['api'],
    when: 'Albums or tracks that an older version stored without all that TIDAL has are completed from now on.',
    action: 'Nothing.',
  },
  announcement_failed: {
    levels: ['debug'],
    by: ['api'],
    when: 'What follows a commit (log lines, the hint) failed. The rows are committed.',
    action: 'Nothing: relays find the rows at their next poll.',
  },
  hint_failed: {
    levels: ['debug'],
    by: ['api'],
    when: 'The NOTIFY that wakes the relays failed.',
    action: 'Nothing: relays find the rows at their next poll.',
  },

  // Indexing
  document_indexed: {
    levels: ['info'],
    by: ['worker'],
    when: 'The document of a recording is in the index. `duration_ms` counts from the start of the run.',
    action: 'Nothing.',
  },
  ingestion_attempt_failed: {
    levels: ['warn'],
    by: ['worker'],
    when:
      'One attempt of a step failed; `error` names the step and says why. Inngest tries it again, unless the input is ' +
      'wrong or the account of the embedding service is used up.',
    action: 'Nothing, unless it goes on: then look after the service that the line names.',
  },
  ingestion_failed: {
    levels: ['error'],
    by: ['worker'],
    when:
      'A run has used up its attempts, or cannot succeed: the recording is not in the index. `reason` is the step, ' +
      '`error` says why. `track/ingestion.failed` is sent as well.',
    action: 'Mend the cause, then request the recording again with `force`.',
  },
  functions_registered: {
    levels: ['info'],
    by: ['worker'],
    when: 'Inngest has taken the functions, at the start or after it was away.',
    action: 'Nothing.',
  },
  inngest_sdk: {
    levels: ['debug', 'warn'],
    by: ['worker'],
    when: 'The Inngest SDK had something to say: a request with a wrong signature, for example.',
    action: 'Read the message. A wrong signature: compare INNGEST_SIGNING_KEY with the one of the server.',
  },
  unsigned_requests: {
    levels: ['warn'],
    by: ['worker'],
    when: 'A worker of a Dev Server listens on more than loopback, and a Dev Server signs no request.',
    action: 'Let nobody but the Dev Server reach the port, or use a server with a signing key.',
  },

  // Sending
  ingestion_scheduled: {
    levels: ['info'],
    by: ['relay'],
    when: 'Inngest accepted the event of a recording.',
    action: 'Nothing.',
  },
  ingestion_error: {
    levels: ['error'],
    by: ['relay'],
    when:
      'Inngest refused the event of one row, for the `reason` given. The message says whether the row is dead or is ' +
      'tried again.',
    action:
      'Read the reason. When the row is dead and the cause is mended, request the recording again: ' +
      '[dead letters](outbox-in-sql.md#acting).',
  },
  album_ingestion_batch: {
    levels: ['info'],
    by: ['relay', 'api'],
    when:
      'The last row of an album is settled, and no track of it is owed by TIDAL any more. Carries `total_tracks`, ' +
      '`scheduled_count` and `skipped_count`. api: the last tracks that were owed turned out not to exist.',
    action: 'Nothing.',
  },
  inngest_error: {
    levels: ['error'],
    by: ['relay', 'worker'],
    when: 'A call to Inngest failed. One line per call, whatever the number of rows in it.',
    action:
      'For minutes without `ingestion_scheduled` between: see whether Inngest is reachable and the event key is valid. ' +
      'Rows wait and count no attempt.',
  },
  qdrant_error: {
    levels: ['error'],
    by: ['relay', 'worker'],
    when: 'The index could not be asked. One line per batch.',
    action:
      'See whether Qdrant is reachable and the collection exists. Until then everything is sent, including recordings ' +
      'that are indexed already.',
  },
  collection_missing: {
    levels: ['warn'],
    by: ['relay'],
    when: 'The Qdrant collection does not exist, so everything counts as not indexed.',
    action: 'Start the worker, which makes it, or correct `QDRANT_COLLECTION`.',
  },
  lease_lost: {
    levels: ['warn'],
    by: ['relay'],
    when:
      'This relay was away past its lease, and another one has taken `slots` of its slots over. It changed nothing of ' +
      'their requests.',
    action:
      'Once: nothing. Again and again: the process is starved of CPU or paused, or the database answers slowly. Raise ' +
      '`RELAY_LEASE_MS`.',
  },
  relay_stalled: {
    levels: ['error'],
    by: ['relay'],
    when: 'Batches are in flight and none has ended for 20 s. The relay no longer renews its slots; other relays take them.',
    action: 'Restart this relay. It is a bug: report it with the lines before.',
  },
  settlement_blocked: {
    levels: ['error'],
    by: ['relay'],
    when:
      'What became of a recording cannot be written down, since a session holds a lock on one of its rows, or a trigger ' +
      'of yours forbids it. The relay tries on, every 30 s in the end. Other recordings go on.',
    action:
      'Find the session in `pg_stat_activity` (`state` is `idle in transaction`), and end it or commit.',
  },
  database_connection_lost: {
    levels: ['warn'],
    by: ['api', 'relay'],
    when:
      'A connection to PostgreSQL gave no answer in time, or led to a server that is read-only. It was closed, and so ' +
      'were those that idled; new ones are opened.',
    action:
      'Once, at a switchover: nothing. Again and again: something between the process and PostgreSQL drops open ' +
      'connections (a firewall, a NAT gateway), or PostgreSQL is too busy to answer.',
  },
  hints_lost: {
    levels: ['warn'],
    by: ['relay'],
    when: 'LISTEN is lost, or never works, as behind a pooler in transaction mode. The relay polls.',
    action: 'For a second less of delay give the relay a direct connection to PostgreSQL.',
  },
  hints_restored: {
    levels: ['info'],
    by: ['relay'],
    when: 'LISTEN works again after `hints_lost`.',
    action: 'Nothing.',
  },
  rows_removed: {
    levels: ['info'],
    by: ['relay'],
    when: 'Settled rows older than `RELAY_RETENTION_DAYS` were removed; `removed` says how many.',
    action: 'Nothing.',
  },
  retention_failed: {
    levels: ['warn'],
    by: ['relay'],
    when: 'Old rows could not be removed. The next round tries again.',
    action: 'When it goes on: look at `error`; the outbox grows meanwhile.',
  },
  ingestion_reconciled: {
    levels: ['warn'],
    by: ['relay'],
    when:
      'A recording was sent more than `RELAY_RECONCILE_AFTER_HOURS` ago and is not in the index. It is requested anew, with ' +
      'the next event id.',
    action:
      'A few: nothing. Many: look for `ingestion_failed` in the log of the worker, and at failed or cancelled runs at Inngest.',
  },
  ingestion_never_indexed: {
    levels: ['error'],
    by: ['relay'],
    when: 'A recording was sent anew `RELAY_RECONCILE_LIMIT` times and has not reached the index. It is dead; `reason` says so.',
    action:
      'Look for its ISRC in the log of the worker and at Inngest, mend what stops it, and requeue it: `npm run outbox -- requeue`.',
  },
  reconciliation_paused: {
    levels: ['warn'],
    by: ['relay'],
    when:
      'Recordings are missing in the index and are not sent anew, since it is no loss of single ones. `reason`: ' +
      '`index_unavailable`, `index_wiped` (most of what was there is gone) or `worker_behind` (nothing that was sent later ' +
      'is there). Said once.',
    action:
      '`index_unavailable`: see Qdrant. `index_wiped`: `npm run outbox -- reindex`. `worker_behind`: see whether the worker ' +
      'runs, and how much waits at Inngest.',
  },
  reconciliation_resumed: {
    levels: ['info'],
    by: ['relay'],
    when: 'The cause of `reconciliation_paused` is gone, or nothing is missing any more.',
    action: 'Nothing.',
  },
  reconciliation_failed: {
    levels: ['warn'],
    by: ['relay'],
    when: 'What was sent could not be compared with the index, because the database failed. The next round tries again.',
    action: 'When it goes on: look at `error`.',
  },
  unencrypted_key: {
    levels: ['warn'],
    by: ['relay', 'worker'],
    when: 'A key is sent over http://, where others on the way can read it.',
    action: 'Use https://, unless both are in one private network.',
  },

  // Services that fail
  tidal_error: {
    levels: ['warn'],
    by: ['api'],
    when:
      'TIDAL could not answer, or not be asked in time; the user got `TidalApiUnavailableError`. Carries `status` and ' +
      '`retryable`.',
    action:
      'Many with status 401: check `TIDAL_CLIENT_ID` and `TIDAL_CLIENT_SECRET`. With 429: others use the same credentials. ' +
      'Many of a queue that was too long: more is added than TIDAL gives in the time.',
  },
  database_error: {
    levels: ['warn', 'error'],
    by: ['relay'],
    when: 'A statement failed. The relay tries again; work in hand waits for the database (warn).',
    action: 'When it goes on: see whether PostgreSQL is reachable, writable, and has connections left.',
  },
  database_unavailable: {
    levels: ['error'],
    by: ['api'],
    when: 'A request failed because the database is away; the user got `DATABASE_UNAVAILABLE`. Carries `requestId`.',
    action: 'When it goes on: see whether PostgreSQL is reachable, writable, and has connections left.',
  },
  ingestion_status_unknown: {
    levels: ['error'],
    by: ['api'],
    when: 'What became of recordings cannot be read, so `isIndexed` is false where it was asked for. Carries `requestId`.',
    action: 'As with `database_unavailable`, or `request_failed` where `error` is none of the database.',
  },
  not_ready: {
    levels: ['warn'],
    by: ['api'],
    when: '`/readyz` answered 503, because the database does not answer.',
    action: 'As with `database_unavailable`.',
  },
  authentication_unavailable: {
    levels: ['error'],
    by: ['api'],
    when: 'The keys of the identity provider cannot be had, so nobody can be identified; the user got 503.',
    action: 'See whether `AUTH_JWKS_URL` is reachable from here.',
  },
  signing_keys_stale: {
    levels: ['warn'],
    by: ['api'],
    when: 'The identity provider does not give its keys. The keys that are known serve on, for 24 hours at most; `/readyz` says `degraded`.',
    action: 'See whether `AUTH_JWKS_URL` is reachable from here. A restart would forget the keys.',
  },
  request_failed: {
    levels: ['error'],
    by: ['api', 'relay', 'worker'],
    when: 'A request failed in a way that nobody foresaw; the answer was `INTERNAL_SERVER_ERROR`, or 500, with the `requestId`.',
    action: 'It is a bug: report it with `error` and `stack`.',
  },

  // Processes
  process_started: {
    levels: ['info'],
    by: ['api', 'relay', 'worker'],
    when: 'The process is ready to work. `address` says where it listens.',
    action: 'Nothing.',
  },
  process_not_started: {
    levels: ['fatal'],
    by: ['every process'],
    when: 'The process ends with 1, because its configuration is wrong or what it needs is missing. `error` says which.',
    action: 'Correct what the line names.',
  },
  process_stopping: {
    levels: ['info'],
    by: ['every process'],
    when: 'SIGTERM or SIGINT came. No new work is taken.',
    action: 'Nothing.',
  },
  process_stopped: {
    levels: ['info'],
    by: ['every process'],
    when: 'The process ends with 0. Work in hand is settled or handed back.',
    action: 'Nothing.',
  },
  process_stop_failed: {
    levels: ['error'],
    by: ['every process'],
    when: 'The process ends with 1, because stopping failed or took longer than 10 s.',
    action:
      'Nothing is lost: what was in hand is left to its lease. When it comes again, report it as a bug.',
  },
  traces_lost: {
    levels: ['warn'],
    by: ['api', 'relay'],
    when: 'The collector of traces takes no spans; `error` says why. Said once until it takes them again.',
    action:
      'See whether `OTEL_EXPORTER_OTLP_ENDPOINT` is reachable. Spans are dropped meanwhile, and nothing else is affected.',
  },
  traces_restored: {
    levels: ['info'],
    by: ['api', 'relay'],
    when: 'The collector takes spans again after `traces_lost`.',
    action: 'Nothing.',
  },
  log_lines_dropped: {
    levels: ['warn'],
    by: ['every process'],
    when: 'The log can be written again, after lines were dropped because nobody took them; `dropped` says how many.',
    action:
      'Look at what takes stdout: a full disk, a collector that stood still. The work went on meanwhile. ' +
      '`segue_log_lines_dropped_total` counts them.',
  },
  process_crashed: {
    levels: ['fatal'],
    by: ['every process'],
    when: 'An error that nobody caught ends the process with 1.',
    action: 'It is a bug: report it with `error` and `stack`. Nothing is lost.',
  },
  migration_waiting: {
    levels: ['info'],
    by: ['migrate'],
    when: 'Another `npm run migrate` is at work on the same database; said every 5 s.',
    action:
      'Wait. It gives up after `MIGRATE_LOCK_TIMEOUT_MS`. The line says who holds the lock, should that be stuck.',
  },
  migration_warning: {
    levels: ['warn'],
    by: ['migrate'],
    when: 'A migration went on without something, a role for example that it may not make.',
    action: 'Follow the message; see [database roles](security.md#database-roles).',
  },
  migrated: {
    levels: ['info'],
    by: ['migrate'],
    when: 'The database is up to date.',
    action: 'Nothing.',
  },
  migration_failed: {
    levels: ['fatal'],
    by: ['migrate'],
    when: 'The database could not be brought up to date; `error` says why. Each migration is applied whole or not at all.',
    action: 'Correct what the line names and run `npm run migrate` again.',
  },
  stand_in: {
    levels: ['warn'],
    by: ['stand-in'],
    when: 'A stand-in runs where a real service is expected.',
    action: 'In production: configure the real service.',
  },
} as const satisfies Record<string, LogEventEntry>;

export type LogEvent = keyof typeof logEvents;

/** The fields that several lines share. Only those that apply are present. */
export type LogFields = {
  event: LogEvent;
  isrc?: string;
  trackTitle?: string;
  result?: 'success' | 'skipped' | 'error';
  reason?: string;
  error?: string;
  duration_ms?: number;
  total_tracks?: number;
  scheduled_count?: number;
  skipped_count?: number;
};
