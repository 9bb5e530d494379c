import { additionsToArrivals, type Run } from '../arrivals.ts';
import { type Bench, type Part, type PartResult, rounds, scaled } from '../bench.ts';
import { linePlot } from '../plot.ts';
import { measured, percentile } from '../statistics.ts';
import { number, withSpread } from '../table.ts';

/** How long after its commit an addition's event is at Inngest. */
export const latency: Part = { name: 'latency', title: 'Latency', run };

const perSecond = 200;
/** Without a hint it is the same to a relay whether LISTEN fails or nobody speaks: it lives by polling. */
const modes = [
  { name: 'with LISTEN', hinted: true, p50: 7, p99: 15 },
  { name: 'without', hinted: false, p50: Number.POSITIVE_INFINITY, p99: 1_500 },
];

async function run(bench: Bench): Promise<PartResult> {
  const seconds = scaled(bench, 6, 1);
  const runs = new Map(modes.map(mode => [mode, [] as Run[]]));
  for (let round = 1; round <= rounds; round++) {
    for (const mode of modes) {
      const run = await additionsToArrivals(bench, { perSecond, seconds, hinted: mode.hinted });
      runs.get(mode)?.push(run);
      bench.progress(`${mode.name}: p50 ${number(percentile(run.latencies, 50), 1)} ms`);
    }
  }

  const all = modes.map(mode => {
    const ofMode = runs.get(mode) as Run[];
    const at = (share: number) => measured(ofMode.map(({ latencies }) => percentile(latencies, share)));
    const known = ofMode.flatMap(({ relayShareOfCore: share }) => (share === null ? [] : [share]));
    return {
      ...mode,
      pooled: ofMode.flatMap(({ latencies }) => latencies),
      measuredP50: at(50),
      measuredP99: at(99),
      most: at(100),
      relay: known.length === 0 ? null : measured(known.map(share => share * 100)),
    };
  });
  return {
    tables: [
      {
        title: `${perSecond} additions a second, from commit to arrival, ms`,
        rows: [
          ['', 'p50', 'p99', 'longest', 'the relay, % of a core'],
          ...all.map(mode => [
            mode.name,
            withSpread(mode.measuredP50, 1),
            withSpread(mode.measuredP99, 1),
            withSpread(mode.most, 1),
            mode.relay === null ? '–' : withSpread(mode.relay, 0),
          ]),
        ],
      },
    ],
    goals: all.map(({ name, p50, p99, measuredP50, measuredP99 }) => ({
      goal: `${name}: ${p50 === Number.POSITIVE_INFINITY ? '' : `p50 at most ${p50} ms, `}p99 at most ${p99} ms`,
      measured: `p50 ${number(measuredP50.median, 1)} ms, p99 ${number(measuredP99.median, 1)} ms`,
      met: measuredP50.median <= p50 && measuredP99.median <= p99,
    })),
    figures: {
      perSecond,
      seconds,
      milliseconds: Object.fromEntries(
        all.map(({ name, measuredP50, measuredP99, most }) => [
          name,
          { p50: measuredP50, p99: measuredP99, most },
        ]),
      ),
      relayPercentOfCore: Object.fromEntries(all.map(({ name, relay }) => [name, relay])),
    },
    plots: { latency: distribution(all) },
  };
}

/** The share of events that had arrived after so long, over powers of ten. */
function distribution(modes: { name: string; pooled: number[] }[]): string {
  const shares = Array.from({ length: 200 }, (_, index) => (index + 1) / 2);
  const x = (ms: number) => Math.log10(Math.max(ms, 1));
  return linePlot({
    title: `From commit to arrival at ${perSecond} additions a second`,
    x: {
      label: 'milliseconds',
      ticks: [1, 3, 10, 30, 100, 300, 1_000].map(ms => ({ at: x(ms), label: number(ms) })),
    },
    y: { label: '% of events', upTo: 100 },
    series: modes.map(({ name, pooled }) => ({
      name,
      points: shares.map(share => ({ x: x(percentile(pooled, share)), y: share })),
    })),
  });
}
