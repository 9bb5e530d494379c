import { timeInTurns, timeMutations } from '../api/mutations.ts';
import { type Bench, type Part, type PartResult, rounds, scaled } from '../bench.ts';
import { measured, percentile, ratio } from '../statistics.ts';
import { number, withSpread } from '../table.ts';

/** What the outbox costs a mutation that waits for nobody else: at half of what the API can answer. */
export const halfLoad: Part = { name: 'halfLoad', title: 'The write side at half load', run };

const connections = 50;
const atMost = 1.05;
const names = ['without an outbox', 'with the outbox'];

async function run(bench: Bench): Promise<PartResult> {
  const seconds = scaled(bench, 40);
  const most = await timeMutations(bench, 'outbox', { connections, seconds: scaled(bench, 4) });
  const perSecond = Math.round(most.length / scaled(bench, 4) / 2);
  bench.progress(`${perSecond} mutations/s are half of what the API answers`);

  const runs: [number[][], number[][]] = [[], []];
  for (let round = 1; round <= rounds; round++) {
    const [without, having] = await timeInTurns(bench, ['none', 'outbox'], { perSecond, seconds });
    runs[0].push(without);
    runs[1].push(having);
    const shown = [without, having].map(
      times => `${number(percentile(times, 50), 2)} and ${number(percentile(times, 99), 2)} ms`,
    );
    bench.progress(`p50 and p99 without an outbox: ${shown[0]}; with it: ${shown[1]}`);
  }

  const at = (place: number, share: number) =>
    measured((runs[place] as number[][]).map(times => percentile(times, share)));
  const cost = (share: number) => ratio(at(1, share), at(0, share));
  return {
    tables: [
      {
        title: `addTrackToLibrary, ${perSecond} a second, ms`,
        rows: [
          ['', 'p50', 'p99'],
          ...names.map((name, place) => [name, ...[50, 99].map(share => withSpread(at(place, share), 2))]),
          ['with ÷ without', ...[50, 99].map(share => withSpread(cost(share), 3))],
        ],
      },
    ],
    goals: [50, 99].map(share => ({
      goal: `the outbox costs at most ${Math.round((atMost - 1) * 100)} % of the mutation's p${share} at half load`,
      measured: `${withSpread(cost(share), 3)} ×`,
      met: cost(share).median <= atMost,
    })),
    figures: {
      connections,
      seconds,
      perSecond,
      milliseconds: Object.fromEntries(
        names.map((name, place) => [name, { p50: at(place, 50), p99: at(place, 99) }]),
      ),
    },
  };
}
