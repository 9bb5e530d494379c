import { type Bench, type Part, type PartResult, rounds, scaled } from '../bench.ts';
import { drainOutbox } from '../outboxDrain.ts';
import { type Measured, measured, ratio } from '../statistics.ts';
import { number, withSpread } from '../table.ts';

/** Whether relays get into each other's way. That nothing is sent twice, `drainOutbox` checks in every run. */
export const relays: Part = { name: 'relays', title: 'More relays', run };

const counts = [1, 2, 4];
/** What one relay loses to the next run by chance. */
const noise = 0.9;

async function run(bench: Bench): Promise<PartResult> {
  const rows = scaled(bench, 50_000, 4_000);
  const runs = new Map(counts.map(count => [count, [] as number[]]));
  for (let round = 1; round <= rounds; round++) {
    for (const count of counts) {
      const { rowsPerSecond } = await drainOutbox(bench, { rows, relays: count });
      runs.get(count)?.push(rowsPerSecond);
      bench.progress(`${count}: ${number(rowsPerSecond)} rows/s`);
    }
  }
  const rates = new Map(counts.map(count => [count, measured(runs.get(count) as number[])]));
  const one = rates.get(1) as Measured;
  const least = Math.min(...[...rates.values()].map(rate => ratio(rate, one).median));
  return {
    tables: [
      {
        title: `${number(rows)} rows; each event is checked to have come once`,
        rows: [
          ['relays', 'rows/s', '÷ one relay'],
          ...[...rates].map(([count, rate]) => [
            String(count),
            withSpread(rate, 0),
            withSpread(ratio(rate, one), 2),
          ]),
        ],
      },
    ],
    goals: [
      {
        goal: 'with 2 and 4 relays nothing is sent twice, and throughput does not fall',
        measured: `no event twice; the slowest gave ${number(least, 2)} × one relay`,
        met: least >= noise,
      },
    ],
    figures: { rows, rowsPerSecond: Object.fromEntries(rates) },
  };
}
