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

  // Relay: rows
  segue_relay_rows_total: {
    type: 'counter',
    by: ['relay'],
    help: 'Outbox rows that this relay has settled or handed back, by what became of them.',
    labels: {
      outcome: ['scheduled', 'already_indexed', 'duplicate', 'dead', 'refused', 'released', 'lease_lost'],
    },
  },
  segue_relay_batch_seconds: {
    type: 'histogram',
    by: ['relay'],
    help: 'From the claim of a batch to its settlement.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  segue_relay_breaker_open: {
    type: 'gauge',
    by: ['relay'],
    help: '1 while calls to the service are held back.',
    labels: { service: services },
  },

  // Relay: the outbox
  segue_outbox_oldest_seconds: {
    type: 'gauge',
    by: ['relay'],
    help: 'Age of the oldest outbox row that is not settled; 0 when there is none.',
  },
  segue_outbox_open_rows: {
    type: 'gauge',
    by: ['relay'],
    help: 'Outbox rows that are not settled.',
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
