import { setTimeout as wait } from 'node:timers/promises';
import { type Bench, type Part, type PartResult, rounds, scaled } from '../bench.ts';
import { startDatabaseServer } from '../database.ts';
import { cpuSeconds } from '../processUsage.ts';
import { startRelay } from '../relayProcess.ts';
import { measured } from '../statistics.ts';
import { withSpread } from '../table.ts';

/** What a relay costs that has nothing to do. */
export const idle: Part = { name: 'idle', title: 'An idle relay', run };

/** The first seconds are its start. */
const settleSeconds = 10;
const mostPercent = 1;
const mostStatements = 2;

async function run(bench: Bench): Promise<PartResult> {
  const seconds = scaled(bench, 60, 5);
  // Only here is every statement counted: elsewhere that would cost each candidate something.
  const server = await startDatabaseServer({ shared_preload_libraries: 'pg_stat_statements' });
  const statements: number[] = [];
  const percents: number[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      await using database = await server.createDatabase({ migrated: true });
      const { sql, url } = database;
      await sql`CREATE EXTENSION pg_stat_statements`;
      const relay = await startRelay(url, bench.sink.url);
      try {
        await wait(settleSeconds * 1_000);
        await sql`SELECT pg_stat_statements_reset()`;
        const before = await cpuSeconds(relay.pid, { descendants: false });
        const start = performance.now();
        await wait(seconds * 1_000);
        const after = await cpuSeconds(relay.pid, { descendants: false });
        const took = (performance.now() - start) / 1_000;
        const [{ calls }] = await sql<[{ calls: number }]>`
          SELECT coalesce(sum(calls), 0)::int AS calls FROM pg_stat_statements
          WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND query NOT LIKE '%pg_stat_statements%'`;
        statements.push(calls / took);
        if (before !== null && after !== null) percents.push(((after - before) / took) * 100);
      } finally {
        await relay.stop();
      }
      bench.progress(`round ${round} of ${rounds}`);
    }
  } finally {
    await server.stop();
  }

  const perSecond = measured(statements);
  const percent = percents.length === 0 ? null : measured(percents);
  return {
    tables: [
      {
        title: `for ${seconds} s`,
        rows: [
          ['', 'statements/s', '% of a core'],
          ['a relay', withSpread(perSecond, 2), percent === null ? '–' : withSpread(percent, 2)],
        ],
      },
    ],
    goals: [
      {
        goal: `an idle relay makes at most ${mostStatements} statements a second`,
        measured: withSpread(perSecond, 2),
        met: perSecond.median <= mostStatements,
      },
      {
        goal: `it takes less than ${mostPercent} % of a core`,
        measured: percent === null ? 'not known without /proc' : `${withSpread(percent, 2)} %`,
        met: percent !== null && percent.median < mostPercent,
      },
    ],
    figures: { seconds, statementsPerSecond: perSecond, percentOfCore: percent },
  };
}
