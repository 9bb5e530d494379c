import { type Bench, type Goal, type Part, type PartResult, rounds, scaled } from '../bench.ts';
import { type Drain, drainOutbox } from '../outboxDrain.ts';
import { graphileWorker } from '../peers/graphileWorker.ts';
import { drainPeer } from '../peers/peer.ts';
import { pgBoss } from '../peers/pgBoss.ts';
import { type Measured, measured, ratio } from '../statistics.ts';
import { number, withSpread } from '../table.ts';
import { cpuPerRow } from './sameWork.ts';

/** The whole way of a row through the relay, beside what peers need to do nothing. */
export const drain: Part = { name: 'drain', title: 'Drain', run };

const relay = 'the relay, all of a row’s way';

const goals = [
  { peer: graphileWorker, least: 2.5 },
  { peer: pgBoss, least: 5 },
];

async function run(bench: Bench): Promise<PartResult> {
  const rows = scaled(bench, 100_000, 2_000);
  const candidates: { name: string; run: () => Promise<Drain> }[] = [
    { name: relay, run: () => drainOutbox(bench, { rows }) },
    { name: graphileWorker.name, run: () => drainPeer(bench, graphileWorker, rows) },
    { name: pgBoss.name, run: () => drainPeer(bench, pgBoss, rows) },
  ];

  const drains = new Map<string, Drain[]>();
  for (let round = 1; round <= rounds; round++) {
    for (const candidate of candidates) {
      const result = await candidate.run();
      drains.set(candidate.name, [...(drains.get(candidate.name) ?? []), result]);
      bench.progress(`${candidate.name}: ${number(result.rowsPerSecond)} rows/s`);
    }
  }

  const rates = new Map(
    [...drains].map(([name, runs]) => [name, measured(runs.map(run => run.rowsPerSecond))]),
  );
  const ownRate = rates.get(relay) as Measured;
  return {
    tables: [
      {
        title: `${number(rows)} rows, 5 % duplicates, 10 % indexed; peers do nothing`,
        rows: [
          ['', 'rows/s', 'relay ÷ this', 'CPU of the process', 'of PostgreSQL'],
          ...[...rates].map(([name, rate]) => [
            name,
            withSpread(rate, 0),
            name === relay ? '' : withSpread(ratio(ownRate, rate), 2),
            cpuPerRow(drains.get(name) as Drain[], 'worker'),
            cpuPerRow(drains.get(name) as Drain[], 'database'),
          ]),
        ],
      },
    ],
    goals: goals.map(({ peer, least }): Goal => {
      const times = ratio(ownRate, rates.get(peer.name) as Measured);
      return {
        goal: `at least ${least} × ${peer.name}'s no-op`,
        measured: `${withSpread(times, 2)} ×`,
        met: times.median >= least,
      };
    }),
    figures: {
      rows,
      settings: { [graphileWorker.name]: graphileWorker.settings, [pgBoss.name]: pgBoss.settings },
      rowsPerSecond: Object.fromEntries(rates),
      drains: Object.fromEntries(drains),
    },
  };
}
