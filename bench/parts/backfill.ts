import { fileURLToPath } from 'node:url';
import { spawnKept } from '@segue/child-process/childProcess.ts';
import { additionsToArrivals } from '../arrivals.ts';
import { type Bench, type Part, type PartResult, scaled } from '../bench.ts';
import type { Database } from '../database.ts';
import { isrcInSql } from '../recordings.ts';
import { measured, percentile, ratio } from '../statistics.ts';
import { number, withSpread } from '../table.ts';

/** What a backfill costs the additions that are made meanwhile. */
export const backfill: Part = { name: 'backfill', title: 'Additions during a backfill', run };

const perSecond = 100;
/** More than elsewhere: the two differ by less than two runs of one do. */
const rounds = 5;
const atMost = 1.2;
/** As fast as the command can: a worker takes a thousandth of it. */
const perMinute = 9_999_999;
/** More than is requested in a round. */
const libraryItems = 50_000;
/** Recordings that no addition asks for. */
const firstItem = 5_000_000;
const variants = [{ name: 'alone' }, { name: 'during a backfill', beside: startBackfill }];

async function run(bench: Bench): Promise<PartResult> {
  const seconds = scaled(bench, 10, 2);
  const runs = variants.map(() => [] as number[][]);
  for (let round = 1; round <= rounds; round++) {
    for (const [place, { name, beside }] of variants.entries()) {
      let backfilled = 0;
      const { latencies } = await additionsToArrivals(bench, {
        perSecond,
        seconds,
        hinted: true,
        ...(beside && { beside: database => beside(database, rows => (backfilled = rows)) }),
      });
      runs[place]?.push(latencies);
      const further = beside ? `, ${number(backfilled)} backfilled` : '';
      bench.progress(
        `${name}: p50 ${number(percentile(latencies, 50), 1)} ms, p99 ${number(percentile(latencies, 99), 1)} ms${further}`,
      );
    }
  }

  const at = (place: number, share: number) =>
    measured((runs[place] as number[][]).map(latencies => percentile(latencies, share)));
  const cost = (share: number) => ratio(at(1, share), at(0, share));
  return {
    tables: [
      {
        title: `${perSecond} additions a second, from commit to arrival, ms`,
        rows: [
          ['', 'p50', 'p99'],
          ...variants.map(({ name }, place) => [
            name,
            ...[50, 99].map(share => withSpread(at(place, share), 1)),
          ]),
          ['during ÷ alone', ...[50, 99].map(share => withSpread(cost(share), 2))],
        ],
      },
    ],
    goals: [
      {
        goal: `a backfill costs additions at most ${Math.round((atMost - 1) * 100)} % of their p99`,
        measured: `${withSpread(cost(99), 2)} ×`,
        met: cost(99).median <= atMost,
      },
    ],
    figures: {
      perSecond,
      seconds,
      milliseconds: Object.fromEntries(
        variants.map(({ name }, place) => [name, { p50: at(place, 50), p99: at(place, 99) }]),
      ),
      ratio: { p50: cost(50), p99: cost(99) },
    },
  };
}

/** Starts `npm run outbox -- backfill` on a library that nobody has requested; it is interrupted at the end. */
async function startBackfill(
  { sql, url }: Database,
  onEnd: (rows: number) => void,
): Promise<() => Promise<void>> {
  await sql.unsafe(`
    INSERT INTO library_tracks
      (user_id, tidal_track_id, title, artist_name, album_name, duration, explicit, isrc)
    SELECT 'listener', n, 'Song ' || n, 'The Wanderers', 'Collected Recordings', 180, false, ${isrcInSql('n')}
    FROM generate_series(${firstItem}::bigint, ${firstItem + libraryItems - 1}) AS n`);
  await sql`ANALYZE library_tracks`;
  const command = ['backfill', '--yes', '--reason', 'bench', '--per-minute', String(perMinute)];
  const begun = Promise.withResolvers<void>();
  const lastLines: string[] = [];
  const kept = await spawnKept(process.execPath, ['apps/cli/main.ts', ...command], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { PATH: process.env.PATH, DATABASE_URL: url },
    signal: 'SIGINT',
    output(line) {
      lastLines.push(line);
      if (line.startsWith('Requesting ')) begun.resolve();
    },
  });
  kept.exited.then(() => begun.reject(new Error(`the backfill ended early:\n${lastLines.join('\n')}`)));
  await begun.promise;
  return async () => {
    await kept.stop();
    const [{ rows }] = await sql<[{ rows: number }]>`
      SELECT count(*)::int AS rows FROM ingestion_outbox WHERE priority = -600`;
    onEnd(rows);
  };
}
