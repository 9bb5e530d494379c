import type { Sql } from '@segue/database/connection.ts';
import { readBacklog } from '@segue/outbox/backlog.ts';
import { createMeter, type Meter } from '@segue/telemetry/metrics/meter.ts';
import type { Breaker } from '../guards/breaker.ts';
import type { Settled } from '../steps/settle.ts';

export type MetricsOptions = { sql: Sql; inngestBreaker: Breaker; indexBreaker: Breaker };

/** The relay's figures, in the format of Prometheus. */
export class Metrics {
  #meter: Meter<'relay'> = createMeter('relay');
  #sql: Sql;

  constructor({ sql, inngestBreaker, indexBreaker }: MetricsOptions) {
    this.#sql = sql;
    this.#meter.read('segue_relay_breaker_open', { service: 'inngest' }, () =>
      Number(inngestBreaker.isHeldBack),
    );
    this.#meter.read('segue_relay_breaker_open', { service: 'qdrant' }, () =>
      Number(indexBreaker.isHeldBack),
    );
  }

  /** Counts a batch. */
  batchSettled(settled: Settled, durationMs: number): void {
    const dead = settled.refused.filter(refusal => refusal.dead).length;
    const rows = {
      scheduled: settled.scheduled.length,
      already_indexed: settled.indexed.length,
      duplicate: settled.duplicates.length,
      dead,
      refused: settled.refused.length - dead,
      released: settled.released.reduce((rows, group) => rows + group.rows.length, 0),
      lease_lost: settled.lost,
    };
    for (const [outcome, count] of Object.entries(rows) as [keyof typeof rows, number][]) {
      this.#meter.add('segue_relay_rows_total', { outcome }, count);
    }
    this.#meter.observe('segue_relay_batch_seconds', {}, durationMs / 1_000);
  }

  get contentType(): string {
    return this.#meter.contentType;
  }

  /** @throws when the database does not answer */
  async text(): Promise<string> {
    const { openRows, oldestSeconds } = await readBacklog(this.#sql);
    this.#meter.set('segue_outbox_open_rows', {}, openRows);
    this.#meter.set('segue_outbox_oldest_seconds', {}, oldestSeconds);
    return this.#meter.text();
  }
}
