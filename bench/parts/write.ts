import { timeMutations } from '../api/mutations.ts';
import type { Scheduling } from '../api/scheduling.ts';
import { type Bench, type Part, type PartResult, rounds, scaled } from '../bench.ts';
import { type Measured, measured, percentile, ratio } from '../statistics.ts';
import { number, withSpread } from '../table.ts';

/** What the outbox costs the mutation that adds a track, beside the design that it replaces. */
export const write: Part = { name: 'write', title: 'The write side', run };

const connections = 50;
const atMost = 1.1;

type Variant = { name: string; scheduling: Scheduling };

const without: Variant = { name: 'without an outbox', scheduling: 'none' };
const withOutbox: Variant = { name: 'with the outbox', scheduling: 'outbox' };
const variants: Variant[] = [
  without,
  withOutbox,
  { name: 'index check and send in the request', scheduling: 'in the request' },
];

async function run(bench: Bench): Promise<PartResult> {
  const seconds = scaled(bench, 3);
  const runs = new Map(variants.map(variant => [variant, [] as number[][]]));
  for (let round = 1; round <= rounds; round++) {
    for (const variant of variants) {
      const times = await timeMutations(bench, variant.scheduling, { connections, seconds });
      runs.get(variant)?.push(times);
      bench.progress(`${variant.name}: p50 ${number(percentile(times, 50), 1)} ms`);
    }
  }

  const at = (variant: Variant, share: number) =>
    measured((runs.get(variant) as number[][]).map(times => percentile(times, share)));
  const against = (variant: Variant, share: number) => ratio(at(variant, share), at(without, share));
  const cost = (share: number): Measured => against(withOutbox, share);
  return {
    tables: [
      {
        title: `addTrackToLibrary at ${connections} connections, ms`,
        rows: [
          ['', 'p50', '÷ without', 'p99', '÷ without', 'mutations/s'],
          ...variants.map(variant => [
            variant.name,
            ...[50, 99].flatMap(share => [
              withSpread(at(variant, share), 1),
              variant === without ? '' : withSpread(against(variant, share), 2),
            ]),
            withSpread(measured((runs.get(variant) as number[][]).map(times => times.length / seconds)), 0),
          ]),
        ],
      },
    ],
    goals: [50, 99].map(share => ({
      goal: `the outbox costs at most ${Math.round((atMost - 1) * 100)} % of the mutation's p${share}`,
      measured: `${withSpread(cost(share), 2)} ×`,
      met: cost(share).median <= atMost,
    })),
    figures: {
      connections,
      seconds,
      milliseconds: Object.fromEntries(
        variants.map(variant => [variant.name, { p50: at(variant, 50), p99: at(variant, 99) }]),
      ),
    },
  };
}
