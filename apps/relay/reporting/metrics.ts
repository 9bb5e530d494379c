import type { LabelsOf } from '@segue/telemetry/metrics/declaredMetrics.ts';
import { createMeter, type Meter } from '@segue/telemetry/metrics/meter.ts';
import type { Breaker } from '../guards/breaker.ts';
import type { DatabaseFigures, Reading } from './databaseFigures.ts';

export type MetricsOptions = {
  figures: Pick<DatabaseFigures, 'last' | 'succeeded' | 'nowMs'>;
  inngestBreaker: Breaker;
  indexBreaker: Breaker;
};

type Outcome = LabelsOf<'segue_relay_rows_total'>['outcome'];
type Step = LabelsOf<'segue_relay_step_seconds'>['step'];

/** What metrics tell of a batch. */
export type BatchFigures = {
  /** Rows read. */
  size: number;
  outcomes: Record<Outcome, number>;
  /** When each row that was sent was requested, in ms since 1970 on the clock of the database. */
  sentRequestedMs: number[];
  /** When Inngest took the last of them, on `performance.now()`. */
  sentAt: number;
  /** Of the steps that there were, in ms. */
  stepsMs: Partial<Record<Step, number>>;
  /** From the reading to the settlement, in ms. */
  durationMs: number;
};

/** The relay's figures, in the format of Prometheus. */
export class Metrics {
  readonly meter: Meter<'relay'> = createMeter('relay');
  readonly #figures: MetricsOptions['figures'];

  constructor({ figures, inngestBreaker, indexBreaker }: MetricsOptions) {
    this.#figures = figures;
    const breakers = { inngest: inngestBreaker, qdrant: indexBreaker };
    for (const [service, breaker] of entriesOf(breakers)) {
      for (const state of ['closed', 'open', 'probing'] as const) {
        this.meter.read('segue_relay_breaker_state', { service, state }, () =>
          Number(breaker.state === state),
        );
      }
    }
    showDatabase(this.meter, figures);
  }

  /** Shows what this relay has of the work at the moment. */
  showWork({ slots, batches }: { slots: () => number; batches: () => number }): void {
    this.meter.read('segue_relay_slots', {}, slots);
    this.meter.read('segue_relay_batches_in_flight', {}, batches);
  }

  /** Counts a batch. */
  batchDone({ size, outcomes, sentRequestedMs, sentAt, stepsMs, durationMs }: BatchFigures): void {
    const { meter } = this;
    meter.add('segue_relay_rows_claimed_total', {}, size);
    for (const [outcome, rows] of entriesOf(outcomes)) meter.add('segue_relay_rows_total', { outcome }, rows);
    const sentAtMs = this.#figures.nowMs - (performance.now() - sentAt);
    for (const requestedMs of sentRequestedMs) {
      meter.observe('segue_relay_commit_to_sent_seconds', {}, Math.max(0, sentAtMs - requestedMs) / 1_000);
    }
    meter.observe('segue_relay_batch_rows', {}, size);
    meter.observe('segue_relay_batch_seconds', {}, durationMs / 1_000);
    for (const [step, ms] of entriesOf(stepsMs)) {
      if (ms !== undefined) meter.observe('segue_relay_step_seconds', { step }, ms / 1_000);
    }
  }
}

/** Shows what was read of the database last, and how old it is. */
function showDatabase(meter: Meter<'relay'>, figures: MetricsOptions['figures']): void {
  const last = (value: (reading: Reading) => number) => () => figures.last && value(figures.last);
  meter.read('segue_database_read_success', {}, () =>
    figures.succeeded === undefined ? undefined : Number(figures.succeeded),
  );
  meter.read(
    'segue_database_read_age_seconds',
    {},
    last(({ readAt }) => (performance.now() - readAt) / 1_000),
  );
  meter.read(
    'segue_database_read_seconds',
    {},
    last(({ tookMs }) => tookMs / 1_000),
  );
  meter.read(
    'segue_outbox_oldest_seconds',
    {},
    last(({ figures }) => figures.oldestSeconds),
  );
  meter.read(
    'segue_outbox_oldest_due_seconds',
    {},
    last(({ figures }) => figures.oldestDueSeconds),
  );
  meter.read(
    'segue_outbox_paused',
    {},
    last(({ figures }) => Number(figures.paused)),
  );
  for (const state of ['due', 'waiting', 'dead'] as const) {
    meter.read(
      'segue_outbox_rows',
      { state },
      last(({ figures }) => figures.rows[state]),
    );
  }
  for (const state of ['running', 'held_back'] as const) {
    meter.read(
      'segue_outbox_relays',
      { state },
      last(({ figures }) => figures.relays[state]),
    );
  }
  for (const state of ['owned', 'unowned'] as const) {
    meter.read(
      'segue_outbox_slots',
      { state },
      last(({ figures }) => figures.slots[state]),
    );
  }
  for (const holder of ['session', 'prepared'] as const) {
    const seconds = last(({ figures }) => figures.oldestTransactionSeconds[holder]);
    meter.read('segue_database_oldest_transaction_seconds', { holder }, seconds);
  }
  for (const holder of ['session', 'prepared', 'slot'] as const) {
    const transactions = last(({ figures }) => figures.horizonTransactions[holder]);
    meter.read('segue_database_horizon_transactions', { holder }, transactions);
  }
}

function entriesOf<Key extends string, Value>(record: Partial<Record<Key, Value>>): [Key, Value][] {
  return Object.entries(record) as [Key, Value][];
}
