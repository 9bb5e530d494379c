import { randomUUID } from 'node:crypto';
import { connect } from '@segue/database/connection.ts';
import { plannerSettings } from '@segue/outbox/plannerSettings.ts';
import { readOpen } from '@segue/outbox/readOpen.ts';
import { settle } from '@segue/outbox/settle.ts';
import { beat } from '@segue/outbox/slots.ts';
import { ReadCursor } from '@segue/relay/reading/readCursor.ts';
import { conclude } from '@segue/relay/steps/conclude.ts';
import { decide } from '@segue/relay/steps/decide.ts';
import { type Bench, type PartResult, rounds, scaled } from '../../bench.ts';
import { addHistory, addPending } from '../../history.ts';
import { linePlot } from '../../plot.ts';
import { type Measured, measured, percentile, ratio } from '../../statistics.ts';
import { number, withSpread } from '../../table.ts';

const batchSize = 1_000;
const warmUpBatches = 5;
/** The statements are timed without a relay, whose lease would be renewed. */
const leaseMs = 3_600_000;
const dedupeWindowMs = 24 * 3_600_000;
const atMost = 1.2;

/** ms a batch, the median over the batches of a run. */
type Times = { read: number; settle: number };
type Stage = { history: number; grown: Times[]; empty: Times[] };
type Step = keyof Times;

/**
 * Times the hot statements, without a relay around them, on an outbox whose history grows, each time beside one
 * without a history. With the longest history there is also the largest backlog.
 */
export async function measureLongHistory(bench: Bench): Promise<PartResult> {
  const lengths = [10_000, 100_000, 1_000_000, 10_000_000].map(length => scaled(bench, length));
  const batches = scaled(bench, 20, 4);
  const backlog = scaled(bench, 1_000_000, 30_000);
  await using grown = await bench.server.createDatabase({ migrated: true });
  const stages: Stage[] = [];
  let length = 0;
  for (const next of lengths) {
    await addHistory(grown.sql, length, next - length);
    length = next;
    const last = length === lengths.at(-1);
    bench.progress(`${number(length)} settled rows`);

    const stage: Stage = { history: length, grown: [], empty: [] };
    if (last) await addPending(grown.sql, 0, backlog);
    for (let round = 0; round < rounds; round++) {
      await using empty = await bench.server.createDatabase({ migrated: true });
      await addPending(empty.sql, 0, (batches + warmUpBatches) * batchSize);
      await bench.server.checkpoint();
      stage.empty.push(await timeStatements(empty.url, batches));
      if (!last)
        await addPending(
          grown.sql,
          stages.length * 1_000_000 + round * 100_000,
          (batches + warmUpBatches) * batchSize,
        );
      stage.grown.push(await timeStatements(grown.url, batches));
    }
    stages.push(stage);
  }
  return describe(stages, backlog);
}

/** Sends batches through read and settlement on one connection, opened as the relay opens its own. */
async function timeStatements(url: string, batches: number): Promise<Times> {
  const sql = connect({ url, applicationName: 'segue-bench-statements', max: 1, settings: plannerSettings });
  try {
    const id = randomUUID();
    const self = { id, host: 'bench', version: 'bench', leaseMs };
    const { owned } = await beat(sql, { ...self, state: 'running', handBack: [] });
    const slots = owned.map(({ slot }) => slot);
    const cursor = new ReadCursor({ sweepEveryMs: 1_000 });
    const times: Times[] = [];
    const limits = { limit: batchSize, bytes: 4 * 1024 * 1024, without: [], dedupeWindowMs };
    while (times.length < warmUpBatches + batches) {
      const start = performance.now();
      const look = cursor.look(slots, batchSize);
      const rows = await readOpen(sql, { ...look, ...limits });
      const read = performance.now();
      cursor.found(rows, look, rows.length >= batchSize);
      const batch = decide(rows);
      for (const sending of batch.sendings) sending.outcome = { as: 'sent' };
      const outcomes = conclude(batch, { maxAttempts: 10 });
      const decided = performance.now();
      await settle(sql, id, owned, outcomes, { dedupeWindowMs });
      // The first reads learn how the slots are filled.
      if (rows.length < batchSize * 0.9 && times.length > 0)
        throw new Error(`only ${rows.length} rows were read`);
      times.push({ read: read - start, settle: performance.now() - decided });
    }
    await beat(sql, { ...self, state: 'stopped', handBack: slots });
    const counted = times.slice(warmUpBatches);
    const median = (step: Step) =>
      percentile(
        counted.map(time => time[step]),
        50,
      );
    return { read: median('read'), settle: median('settle') };
  } finally {
    await sql.end();
  }
}

function describe(stages: Stage[], backlog: number): PartResult {
  const all = stages.map(({ history, grown, empty }) => {
    const step = (times: Times[], ...steps: Step[]) =>
      measured(times.map(time => steps.reduce((sum, name) => sum + time[name], 0)));
    const both: Step[] = ['read', 'settle'];
    return {
      history,
      read: step(grown, 'read'),
      settle: step(grown, 'settle'),
      bothRatio: ratio(step(grown, ...both), step(empty, ...both)),
    };
  });
  const longest = all.at(-1) as (typeof all)[number];
  return {
    tables: [
      {
        title: `ms a batch of ${batchSize}; the longest history with ${number(backlog)} pending rows`,
        rows: [
          ['settled rows', 'read', 'settle', 'both ÷ empty'],
          ...all.map(stage => [
            number(stage.history),
            ...[stage.read, stage.settle].map(time => withSpread(time, 1)),
            withSpread(stage.bothRatio, 2),
          ]),
        ],
      },
    ],
    goals: [
      {
        goal: `read and settlement at most ${atMost} × those without a history`,
        measured: `${withSpread(longest.bothRatio, 2)} ×`,
        met: longest.bothRatio.median <= atMost,
      },
    ],
    figures: { batchSize, backlog, stages: all },
    plots: {
      'batch-by-history': linePlot({
        title: `A batch of ${batchSize} against the length of the history`,
        x: { label: 'settled rows', ticks: all.map(({ history }, at) => ({ at, label: number(history) })) },
        y: { label: 'ms a batch' },
        series: (['read', 'settle'] as const).map(step => ({
          name: step,
          points: all.map((stage, x) => ({ x, y: (stage[step] as Measured).median })),
        })),
      }),
    },
  };
}
