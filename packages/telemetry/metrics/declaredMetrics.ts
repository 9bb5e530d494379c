/** The processes that have figures to show. */
export type Exporter = 'api' | 'relay' | 'worker';

export type MetricEntry = {
  type: 'counter' | 'gauge' | 'histogram';
  by: readonly Exporter[];
  /** What it counts or measures. */
  help: string;
  /** The values of each label. They are few and known: a label of ids or texts would make a series of each. */
  labels?: Readonly<Record<string, readonly string[]>>;
  /** Of a histogram, upper bounds in the unit of its name. */
  buckets?: readonly number[];
};

/** The services that a relay holds back from while they are away. */
const services = ['inngest', 'qdrant'] as const;

/** Of a run of the worker. */
const steps = ['check-index', 'build-document', 'embed-interpretation', 'store-document'] as const;

/** The pools of the API, of a relay's rows, and of what it does besides. */
const pools = ['api', 'rows', 'upkeep'] as const;

/**
 * Every metric of ours. To add one: a key here, a call of the meter with it, and
 * `npx vitest run --project unit test/architecture/metrics -u`, which writes docs/metrics.md anew.
 */
export const declaredMetrics = {
  // Every process
  segue_log_lines_dropped_total: {
    type: 'counter',
    by: ['api', 'relay', 'worker'],
    help: 'Log lines that were dropped, since nobody took them (a full disk, a pipe that nobody reads).',
  },

  // API and relay: the pools of connections
  segue_database_pool_connections: {
    type: 'gauge',
    by: ['api', 'relay'],
    help: 'Open connections to PostgreSQL by pool. in_use: a statement or a transaction is under way.',
    labels: { pool: pools, state: ['in_use', 'idle'] },
  },
  segue_database_pool_waiting_statements: {
    type: 'gauge',
    by: ['api', 'relay'],
    help: 'Statements that wait for a connection of the pool.',
    labels: { pool: pools },
  },

  // API
  segue_graphql_operations_total: {
    type: 'counter',
    by: ['api'],
    help:
      'Requests to /graphql by type of operation (none: refused before it was known) and outcome: ok, or the code of the ' +
      "first error. The names of operations are the clients' and are not told.",
    labels: {
      type: ['query', 'mutation', 'none'],
      outcome: [
        'ok',
        'unauthenticated',
        'authentication_unavailable',
        'bad_user_input',
        'bad_request',
        'query_too_costly',
        'rate_limited',
        'request_timeout',
        'database_unavailable',
        'internal_server_error',
      ],
    },
  },
  segue_graphql_operation_seconds: {
    type: 'histogram',
    by: ['api'],
    help: 'From a request to /graphql to its answer.',
    labels: { type: ['query', 'mutation', 'none'] },
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40],
  },
  segue_tidal_requests_total: {
    type: 'counter',
    by: ['api'],
    help:
      'Requests to TIDAL by outcome. rate_limited: 429. refused: another 4xx. invalid: the answer cannot be read. ' +
      'no_turn: not made, since our own limiter had no turn for it in time.',
    labels: {
      outcome: [
        'ok',
        'not_found',
        'refused',
        'rate_limited',
        'server_error',
        'timeout',
        'unreachable',
        'invalid',
        'no_turn',
      ],
    },
  },
  segue_tidal_request_seconds: {
    type: 'histogram',
    by: ['api'],
    help: 'From the turn of a request to TIDAL to its whole answer.',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  },
  segue_tidal_wait_seconds: {
    type: 'histogram',
    by: ['api'],
    help:
      'How long a request to TIDAL waited for its turn at the limiter, by urgency: token, item (a person waits), listing ' +
      '(the tracks of an album), background (completion).',
    labels: { urgency: ['token', 'item', 'listing', 'background'] },
    buckets: [0.001, 0.01, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },

  // Relay: rows
  segue_relay_rows_claimed_total: {
    type: 'counter',
    by: ['relay'],
    help: 'Outbox rows that this relay has taken in hand. A row that is tried again is counted again.',
  },
  segue_relay_rows_total: {
    type: 'counter',
    by: ['relay'],
    help:
      'What became of the rows: scheduled (sent), skipped as already_indexed or duplicate, refused by Inngest and tried ' +
      'again, dead, left (an outage, or another request for the recording goes first), lost (another relay has them).',
    labels: { outcome: ['scheduled', 'already_indexed', 'duplicate', 'refused', 'dead', 'left', 'lost'] },
  },
  segue_relay_commit_to_sent_seconds: {
    type: 'histogram',
    by: ['relay'],
    help: 'From the commit of a request to the answer of Inngest that took its event, on the clock of the database.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 21_600],
  },
  segue_relay_slots: {
    type: 'gauge',
    by: ['relay'],
    help:
      'Slots that this relay owns, of 32 over all relays: an equal share where all can send, and 0 where this one cannot and ' +
      'another can.',
  },
  segue_relay_batches_in_flight: {
    type: 'gauge',
    by: ['relay'],
    help: 'Batches that this relay has in hand; RELAY_CONCURRENCY at the most.',
  },
  segue_relay_batch_rows: {
    type: 'histogram',
    by: ['relay'],
    help: 'Rows of a batch.',
    buckets: [1, 3, 10, 30, 100, 300, 1_000, 3_000],
  },
  segue_relay_batch_seconds: {
    type: 'histogram',
    by: ['relay'],
    help: 'From the reading of a batch to its settlement.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  segue_relay_step_seconds: {
    type: 'histogram',
    by: ['relay'],
    help: 'How long a step of a batch took: to read the rows, to ask the index, to send, to settle.',
    labels: { step: ['read', 'ask', 'send', 'settle'] },
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  segue_relay_reconciled_total: {
    type: 'counter',
    by: ['relay'],
    help:
      'Recordings that were sent and did not reach the index: sent_anew, or never_indexed after as many sendings as ' +
      'allowed.',
    labels: { outcome: ['sent_anew', 'never_indexed'] },
  },
  segue_relay_reconciliation_paused: {
    type: 'gauge',
    by: ['relay'],
    help:
      '1 while recordings are missing in the index and none is sent anew, for the cause given. One relay at a time compares: ' +
      'take the max() over all.',
    labels: { cause: ['index_unavailable', 'index_wiped', 'worker_behind'] },
  },
  segue_relay_breaker_state: {
    type: 'gauge',
    by: ['relay'],
    help: '1 for the state that the breaker of a service is in. Open: no call is made. Probing: one small call is made.',
    labels: { service: services, state: ['closed', 'open', 'probing'] },
  },

  // Relay: the outbox
  segue_outbox_rows: {
    type: 'gauge',
    by: ['relay'],
    help:
      'Outbox rows by state: due (a relay may send them now), waiting (for a later attempt), dead. Exact up to 5,000 open ' +
      'rows and estimated beyond; no more than 5,000 dead ones are told.',
    labels: { state: ['due', 'waiting', 'dead'] },
  },
  segue_outbox_oldest_seconds: {
    type: 'gauge',
    by: ['relay'],
    help: 'Age of the oldest outbox row that is not settled; 0 when there is none.',
  },
  segue_outbox_oldest_due_seconds: {
    type: 'gauge',
    by: ['relay'],
    help: 'How long the oldest row that may be sent now has been due; 0 when there is none.',
  },
  segue_outbox_paused: {
    type: 'gauge',
    by: ['relay'],
    help: '1 while a person has paused the sending.',
  },
  segue_outbox_relays: {
    type: 'gauge',
    by: ['relay'],
    help: 'Relays that gave a sign of life within 30 s, by what they said. held_back: Inngest does not answer them.',
    labels: { state: ['running', 'held_back'] },
  },
  segue_outbox_slots: {
    type: 'gauge',
    by: ['relay'],
    help: 'Slots of the outbox that a relay owns, and slots whose rows wait for an owner.',
    labels: { state: ['owned', 'unowned'] },
  },

  // Relay: the database
  segue_database_read_success: {
    type: 'gauge',
    by: ['relay'],
    help: '1 when the last reading of segue_outbox_… and segue_database_… succeeded. At 0 they say what they last said.',
  },
  segue_database_read_age_seconds: {
    type: 'gauge',
    by: ['relay'],
    help: 'Since the last reading that succeeded.',
  },
  segue_database_read_seconds: {
    type: 'gauge',
    by: ['relay'],
    help: 'How long that reading took. It is made in the background, so that no scrape waits for it.',
  },
  segue_database_oldest_transaction_seconds: {
    type: 'gauge',
    by: ['relay'],
    help:
      'Age of the oldest open transaction of the database, and of the oldest prepared one. Sessions of other users are ' +
      'seen only by a user with pg_read_all_stats.',
    labels: { holder: ['session', 'prepared'] },
  },
  segue_database_horizon_transactions: {
    type: 'gauge',
    by: ['relay'],
    help:
      'How many transactions ago the oldest began that vacuum still keeps dead rows for, by what holds it: a session, a ' +
      'prepared transaction or a replication slot.',
    labels: { holder: ['session', 'prepared', 'slot'] },
  },

  // Worker
  segue_worker_registered: {
    type: 'gauge',
    by: ['worker'],
    help: '1 while Inngest has the functions of this worker, as far as it knows.',
  },
  segue_worker_runs_total: {
    type: 'counter',
    by: ['worker'],
    help: 'Runs by outcome: indexed, already_indexed (nothing was to be done), failed (for good, after all attempts).',
    labels: { outcome: ['indexed', 'already_indexed', 'failed'] },
  },
  segue_worker_run_seconds: {
    type: 'histogram',
    by: ['worker'],
    help: 'From the first step of a run to the document in the index, with all waits of Inngest between its steps.',
    buckets: [0.1, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 900, 3_600],
  },
  segue_worker_step_seconds: {
    type: 'histogram',
    by: ['worker'],
    help: 'How long an attempt of a step took.',
    labels: { step: steps },
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60],
  },
  segue_worker_step_failures_total: {
    type: 'counter',
    by: ['worker'],
    help: 'Attempts of a step that failed. Most are tried again.',
    labels: { step: steps },
  },
  segue_worker_embeddings_total: {
    type: 'counter',
    by: ['worker'],
    help:
      'Calls of the embedding service by outcome. input: it refuses the text. quota: the account is used up. ' +
      'unavailable: anything else that went wrong.',
    labels: { outcome: ['ok', 'input', 'quota', 'rate_limit', 'unavailable'] },
  },
  segue_worker_embedding_seconds: {
    type: 'histogram',
    by: ['worker'],
    help: 'How long a call of the embedding service took.',
    buckets: [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
} as const satisfies Record<string, MetricEntry>;

type Declared = typeof declaredMetrics;
export type MetricName = keyof Declared;

/** The metrics of a process that are of a type. */
export type MetricOf<By extends Exporter, Type extends MetricEntry['type']> = {
  [Name in MetricName]: Declared[Name] extends { type: Type }
    ? By extends Declared[Name]['by'][number]
      ? Name
      : never
    : never;
}[MetricName];

type Labels = {
  [Name in MetricName]: Declared[Name] extends {
    labels: infer Sets extends Record<string, readonly string[]>;
  }
    ? { [Label in keyof Sets]: Sets[Label][number] }
    : Record<never, never>;
};

/** A value for each label of a metric. */
export type LabelsOf<Name extends MetricName> = Labels[Name];
