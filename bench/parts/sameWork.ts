import { type Bench, type Goal, type Part, type PartResult, rounds, scaled } from '../bench.ts';
import { type Drain, drainOutbox } from '../outboxDrain.ts';
import { drainPeer, type Peer } from '../peers/peer.ts';
import { sendingGraphileWorker } from '../peers/sending/graphileWorker.ts';
import { inRequest } from '../peers/sending/inRequest.ts';
import { sendingPgBoss } from '../peers/sending/pgBoss.ts';
import { type Measured, measured, ratio } from '../statistics.ts';
import { number, withSpread } from '../table.ts';

/** Other designs that do what the relay does: drop duplicates, ask the index, send an event a recording. */
export const sameWork: Part = { name: 'sameWork', title: 'The same work', run };

const relay = 'the relay';
/** Peers, how many times as fast the relay is to be, and the share of its recordings that they get: some are slow. */
const peers: { peer: Peer; least?: number; share: number }[] = [
  { peer: sendingPgBoss, least: 1.5, share: 1 },
  { peer: sendingGraphileWorker, least: 20, share: 0.2 },
  { peer: inRequest, share: 0.2 },
];

async function run(bench: Bench): Promise<PartResult> {
  const rows = scaled(bench, 100_000, 5_000);
  const candidates = [
    { name: relay, run: () => drainOutbox(bench, { rows }) },
    ...peers.map(({ peer, share }) => ({
      name: peer.name,
      run: () => drainPeer(bench, peer, Math.round(rows * share)),
    })),
  ];
  const drains = new Map(candidates.map(({ name }) => [name, [] as Drain[]]));
  for (let round = 1; round <= rounds; round++) {
    for (const candidate of candidates) {
      const drain = await candidate.run();
      drains.get(candidate.name)?.push(drain);
      bench.progress(`${candidate.name}: ${number(drain.rowsPerSecond)} recordings/s`);
    }
  }

  const rates = new Map(
    [...drains].map(([name, runs]) => [name, measured(runs.map(run => run.rowsPerSecond))]),
  );
  const times = (name: string) => ratio(rates.get(relay) as Measured, rates.get(name) as Measured);
  return {
    tables: [
      {
        title: 'a recording’s whole way; 5 % duplicates, 10 % indexed',
        rows: [
          ['', 'recordings/s', 'the relay ÷ this', 'CPU of the process', 'of PostgreSQL'],
          ...[...rates].map(([name, rate]) => [
            name,
            withSpread(rate, 0),
            name === relay ? '' : withSpread(times(name), 1),
            cpuPerRow(drains.get(name) as Drain[], 'worker'),
            cpuPerRow(drains.get(name) as Drain[], 'database'),
          ]),
        ],
      },
    ],
    goals: peers.flatMap(({ peer: { name }, least }): Goal[] => {
      if (least === undefined) return [];
      return [
        {
          goal: `at least ${least} × ${name}`,
          measured: `${withSpread(times(name), 2)} ×`,
          met: times(name).median >= least,
        },
      ];
    }),
    figures: {
      rows: Object.fromEntries([
        [relay, rows],
        ...peers.map(({ peer, share }) => [peer.name, Math.round(rows * share)]),
      ]),
      settings: Object.fromEntries(peers.map(({ peer }) => [peer.name, peer.settings])),
      rowsPerSecond: Object.fromEntries(rates),
      drains: Object.fromEntries(drains),
    },
  };
}

/** CPU time a row, of the runs' median; a dash where it cannot be known. */
export function cpuPerRow(drains: Drain[], whose: 'worker' | 'database'): string {
  const runs = drains.flatMap(({ cpu, rows }) => {
    const seconds = cpu[whose];
    return seconds === null ? [] : [(seconds / rows) * 1e6];
  });
  return runs.length === 0 ? '–' : `${number(measured(runs).median, 1)} µs a row`;
}
