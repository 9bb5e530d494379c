import { connect } from '@segue/database/connection.ts';
import { claim } from '@segue/outbox/claim.ts';
import { settle } from '@segue/outbox/settle.ts';
import { take } from '@segue/outbox/take.ts';
import { Frontier } from '@segue/relay/claiming/claimCursor.ts';
import { rowSession } from '@segue/relay/rowSessions.ts';
import { type Bench, type PartResult, rounds, scaled } from '../../bench.ts';
import { addHistory, addPending } from '../../history.ts';
import { linePlot } from '../../plot.ts';
import { type Measured, measured, percentile, ratio } from '../../statistics.ts';
import { number, withSpread } from '../../table.ts';

const batchSize = 1_000;
const warmUpBatches = 5;
const leaseMs = 30_000;
const dedupeWindowMs = 24 * 3_600_000;
const atMost = 1.2;

/** ms a batch, the median over the batches of a run. */
type Times = { claim: number; take: number; settle: number };
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

/** Sends batches through claim, ledger and settlement on one connection, opened as the relay opens its own. */
async function timeStatements(url: string, batches: number): Promise<Times> {
  const sql = connect({ url, applicationName: 'segue-bench-statements', ...rowSession });
  try {
    const frontier = new Frontier({ sweepEveryMs: 1_000 });
    const times: Times[] = [];
    for (let batch = 0; batch < warmUpBatches + batches; batch++) {
      const start = performance.now();
      const { lease, rows } = await claim(sql, { limit: batchSize, leaseMs, ...frontier.look(batchSize) });
      const claimed = performance.now();
      if (rows.length < batchSize) throw new Error(`only ${rows.length} rows could be claimed`);
      frontier.found(rows, batchSize);
      const verdicts = await take(sql, lease, rows, { dedupeWindowMs });
      const taken = performance.now();
      await settle(sql, lease, {
        scheduled: verdicts
          .filter(({ verdict }) => verdict === 'taken')
          .map(({ id }) => ({ id, generation: 1 })),
        duplicates: verdicts.filter(({ verdict }) => verdict !== 'taken').map(({ id }) => id),
      });
      times.push({ claim: claimed - start, take: taken - claimed, settle: performance.now() - taken });
    }
    const counted = times.slice(warmUpBatches);
    const median = (step: Step) =>
      percentile(
        counted.map(time => time[step]),
        50,
      );
    return { claim: median('claim'), take: median('take'), settle: median('settle') };
  } finally {
    await sql.end();
  }
}

function describe(stages: Stage[], backlog: number): PartResult {
  const all = stages.map(({ history, grown, empty }) => {
    const step = (times: Times[], ...steps: Step[]) =>
      measured(times.map(time => steps.reduce((sum, name) => sum + time[name], 0)));
    const both: Step[] = ['claim', 'settle'];
    return {
      history,
      claim: step(grown, 'claim'),
      take: step(grown, 'take'),
      settle: step(grown, 'settle'),
      takeRatio: ratio(step(grown, 'take'), step(empty, 'take')),
      claimAndSettleRatio: ratio(step(grown, ...both), step(empty, ...both)),
    };
  });
  const longest = all.at(-1) as (typeof all)[number];
  return {
    tables: [
      {
        title: `ms a batch of ${batchSize}; the longest history with ${number(backlog)} pending rows`,
        rows: [
          ['settled rows', 'claim', 'ledger', 'settle', 'claim + settle ÷ empty', 'ledger ÷ empty'],
          ...all.map(stage => [
            number(stage.history),
            ...[stage.claim, stage.take, stage.settle].map(time => withSpread(time, 1)),
            ...[stage.claimAndSettleRatio, stage.takeRatio].map(times => withSpread(times, 2)),
          ]),
        ],
      },
    ],
    goals: [
      {
        goal: `claim and settlement at most ${atMost} × those without a history`,
        measured: `${withSpread(longest.claimAndSettleRatio, 2)} ×`,
        met: longest.claimAndSettleRatio.median <= atMost,
      },
    ],
    figures: { batchSize, backlog, stages: all },
    plots: {
      'claim-by-history': linePlot({
        title: `A batch of ${batchSize} against the length of the history`,
        x: { label: 'settled rows', ticks: all.map(({ history }, at) => ({ at, label: number(history) })) },
        y: { label: 'ms a batch' },
        series: (['claim', 'take', 'settle'] as const).map(step => ({
          name: step === 'take' ? 'ledger' : step,
          points: all.map((stage, x) => ({ x, y: (stage[step] as Measured).median })),
        })),
      }),
    },
  };
}
