import type { Sql } from '@segue/database/connection.ts';
import { hint } from '@segue/outbox/hint.ts';
import { additionsToArrivals } from '../arrivals.ts';
import { type Bench, type Part, type PartResult, rounds, scaled } from '../bench.ts';
import { isrcInSql } from '../recordings.ts';
import { measured, percentile } from '../statistics.ts';
import { number, withSpread } from '../table.ts';

/** Whether an addition waits for a crowd of requests that came before it. */
export const crowds: Part = { name: 'crowds', title: 'Additions beside a crowd', run };

const perSecond = 10;
const longestMs = 5_000;
/** Numbers of recordings that nobody adds. */
const crowdFrom = 5_000_000;

type Crowd = { name: string; requests: number; insert: (sql: Sql, count: number) => Promise<unknown> };

const all: Crowd[] = [
  {
    name: 'forced requests for one recording',
    requests: 50_000,
    insert: (sql, count) =>
      sql.unsafe(`
        INSERT INTO ingestion_outbox (isrc, title, artist, album, force)
        SELECT ${isrcInSql(`${crowdFrom}::bigint`)}, 'Forced', 'Crowd', 'Crowd', true FROM generate_series(1, ${count})`),
  },
  {
    name: 'requests that Inngest refuses',
    requests: 20_000,
    insert: (sql, count) =>
      sql.unsafe(`
        INSERT INTO ingestion_outbox (isrc, title, artist, album)
        SELECT ${isrcInSql(`(${crowdFrom}::bigint + n)`)}, 'Refused', 'Crowd', 'Crowd' FROM generate_series(1, ${count}) AS n`),
  },
];

async function run(bench: Bench): Promise<PartResult> {
  const seconds = scaled(bench, 30, 2);
  const found: { name: string; latencies: number[][] }[] = [];
  for (const { name, requests, insert } of all) {
    const latencies: number[][] = [];
    for (let round = 1; round <= rounds; round++) {
      const run = await additionsToArrivals(bench, {
        perSecond,
        seconds,
        hinted: true,
        beside: async ({ sql }) => {
          await insert(sql, scaled(bench, requests));
          await hint(sql);
          return async () => void (await sql`DELETE FROM ingestion_outbox WHERE album = 'Crowd'`);
        },
      });
      latencies.push(run.latencies);
      bench.progress(`${name}: ${number(Math.max(...run.latencies), 0)} ms at the longest`);
    }
    found.push({ name: `${number(scaled(bench, requests))} ${name}`, latencies });
  }
  const at = (latencies: number[][], share: number) =>
    measured(latencies.map(times => percentile(times, share)));
  const longest = Math.max(...found.map(({ latencies }) => at(latencies, 100).most));
  return {
    tables: [
      {
        title: `${perSecond} additions a second beside a crowd, from commit to arrival, ms`,
        rows: [
          ['beside', 'p50', 'p99', 'longest'],
          ...found.map(({ name, latencies }) => [
            name,
            ...[50, 99, 100].map(share => withSpread(at(latencies, share), 0)),
          ]),
        ],
      },
    ],
    goals: [
      {
        goal: `each is sent within ${longestMs / 1_000} s`,
        measured: `${number(longest, 0)} ms at the longest`,
        met: longest <= longestMs,
      },
    ],
    figures: {
      perSecond,
      seconds,
      milliseconds: Object.fromEntries(
        found.map(({ name, latencies }) => [
          name,
          { p50: at(latencies, 50), p99: at(latencies, 99), most: at(latencies, 100) },
        ]),
      ),
    },
  };
}
