import type { Sql } from '@segue/database/connection.ts';
import { type Backlog, readBacklog } from '@segue/outbox/backlog.ts';
import { droppedLogLines } from '@segue/telemetry/logger.ts';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Breaker } from '../guards/breaker.ts';
import type { Settled } from '../steps/settle.ts';

export type MetricsOptions = { sql: Sql; inngestBreaker: Breaker; indexBreaker: Breaker };

/** The relay's figures, in the format of Prometheus. */
export class Metrics {
  #registry = new Registry();
  #rows: Counter<'outcome'>;
  #batchSeconds: Histogram;

  constructor({ sql, inngestBreaker, indexBreaker }: MetricsOptions) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#rows = new Counter({
      name: 'segue_relay_rows_total',
      help: 'Outbox rows that this relay has settled or handed back, by what became of them',
      labelNames: ['outcome'],
      registers,
    });
    this.#batchSeconds = new Histogram({
      name: 'segue_relay_batch_seconds',
      help: 'From the claim of a batch to its settlement',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    });
    new Gauge({
      name: 'segue_relay_breaker_open',
      help: '1 while calls to the service are held back',
      labelNames: ['service'],
      registers,
      collect() {
        this.set({ service: 'inngest' }, Number(inngestBreaker.isHeldBack));
        this.set({ service: 'qdrant' }, Number(indexBreaker.isHeldBack));
      },
    });
    new Counter({
      name: 'segue_log_lines_dropped_total',
      help: 'Log lines that were dropped, since nobody took them (a full disk, a pipe that nobody reads)',
      registers,
      collect() {
        this.reset();
        this.inc(droppedLogLines());
      },
    });
    // Both come from one query. Gauges are collected side by side, and each must wait for its own figure.
    let reading: Promise<Backlog> | undefined;
    const backlog = () => {
      reading ??= readBacklog(sql).finally(() => {
        reading = undefined;
      });
      return reading;
    };
    new Gauge({
      name: 'segue_outbox_oldest_seconds',
      help: 'Age of the oldest outbox row that is not settled: the figure to alert on',
      registers,
      async collect() {
        this.set((await backlog()).oldestSeconds);
      },
    });
    new Gauge({
      name: 'segue_outbox_open_rows',
      help: 'Outbox rows that are not settled',
      registers,
      async collect() {
        this.set((await backlog()).openRows);
      },
    });
  }

  /** Counts a batch. */
  batchSettled(settled: Settled, durationMs: number): void {
    const count = (outcome: string, rows: number) => this.#rows.inc({ outcome }, rows);
    const dead = settled.refused.filter(refusal => refusal.dead).length;
    count('scheduled', settled.scheduled.length);
    count('already_indexed', settled.indexed.length);
    count('duplicate', settled.duplicates.length);
    count('dead', dead);
    count('refused', settled.refused.length - dead);
    count(
      'released',
      settled.released.reduce((rows, group) => rows + group.rows.length, 0),
    );
    count('lease_lost', settled.lost);
    this.#batchSeconds.observe(durationMs / 1_000);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** @throws when the database does not answer */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
