import { type Bench, type Part, type PartResult, rounds, scaled } from '../bench.ts';
import { drainOutbox } from '../outboxDrain.ts';
import { linePlot } from '../plot.ts';
import { type Measured, measured } from '../statistics.ts';
import { number, withSpread } from '../table.ts';

/** Whether any batch size or concurrency is a cliff. */
export const batches: Part = { name: 'batches', title: 'Batch size and concurrency', run };

const sizes = [100, 250, 500, 1_000, 2_000];
/** The ends; 2 and 4 lie between them. */
const concurrencies = [1, 8];
/** From here on all must lie within 30 % of the best. */
const flatFrom = 250;
const leastShare = 0.7;

async function run(bench: Bench): Promise<PartResult> {
  // Twenty batches of the largest: over 20,000 rows a drain is half beginning and end.
  const rows = scaled(bench, 40_000, 2_000);
  const settings = sizes.flatMap(batchSize => concurrencies.map(concurrency => ({ batchSize, concurrency })));
  const runs = new Map(settings.map(setting => [setting, [] as number[]]));
  for (let round = 1; round <= rounds; round++) {
    for (const setting of settings) {
      const { rowsPerSecond } = await drainOutbox(bench, { rows, settings: setting });
      runs.get(setting)?.push(rowsPerSecond);
    }
    bench.progress(`round ${round} of ${rounds}`);
  }

  const rates = settings.map(setting => ({ ...setting, rate: measured(runs.get(setting) as number[]) }));
  const rateAt = (size: number, among: number) =>
    rates.find(({ batchSize, concurrency }) => batchSize === size && concurrency === among)?.rate as Measured;
  const flat = rates.filter(({ batchSize }) => batchSize >= flatFrom);
  const best = Math.max(...flat.map(({ rate }) => rate.median));
  const worst = Math.min(...flat.map(({ rate }) => rate.median));
  return {
    tables: [
      {
        title: `rows/s over ${number(rows)} rows, by rows a claim (down) and batches that call at a time (across)`,
        rows: [
          ['', ...concurrencies.map(String)],
          ...sizes.map(size => [
            number(size),
            ...concurrencies.map(among => withSpread(rateAt(size, among), 0)),
          ]),
        ],
      },
    ],
    goals: [
      {
        goal: `from ${flatFrom} rows a claim on, all within ${Math.round((1 - leastShare) * 100)} % of the best`,
        measured: `the slowest is ${number((1 - worst / best) * 100)} % below the best`,
        met: worst >= leastShare * best,
      },
    ],
    figures: { rows, rates },
    plots: {
      'drain-by-batch-size': linePlot({
        title: 'Drain by batch size',
        x: { label: 'rows a claim', ticks: sizes.map((size, at) => ({ at, label: number(size) })) },
        y: { label: 'rows/s' },
        series: concurrencies.map(among => ({
          name: `${among} at a time`,
          points: sizes.map((size, x) => ({ x, y: rateAt(size, among).median })),
        })),
      }),
    },
  };
}
