import type { LogEventEntry } from './entry.ts';

/** Of the life of a process, of its log, its traces, and of migrations. */
export const processEvents = {
  request_failed: {
    levels: ['error'],
    by: ['api', 'relay', 'worker'],
    when: 'A request failed in a way that nobody foresaw; the answer was `INTERNAL_SERVER_ERROR`, or 500, with the `requestId`.',
    action: 'It is a bug: report it with `error` and `stack`.',
  },
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
    by: ['api', 'relay', 'worker'],
    when: 'The collector of traces takes no spans; `error` says why. Said once until it takes them again.',
    action:
      'See whether `OTEL_EXPORTER_OTLP_ENDPOINT` is reachable. Spans are dropped meanwhile, and nothing else is affected.',
  },
  traces_restored: {
    levels: ['info'],
    by: ['api', 'relay', 'worker'],
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
