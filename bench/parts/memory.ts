import { peakMemoryMb } from '@segue/child-process/peakMemory.ts';
import { hint } from '@segue/outbox/hint.ts';
import { type Bench, type Part, type PartResult, rounds, scaled } from '../bench.ts';
import type { Database } from '../database.ts';
import { addLongTexts, addPending } from '../history.ts';
import { untilSettled } from '../outboxDrain.ts';
import { startRelay } from '../relayProcess.ts';
import { measured } from '../statistics.ts';
import { number, withSpread } from '../table.ts';

/** How much memory a relay takes, and that neither a backlog nor long texts make it more. */
export const memory: Part = { name: 'memory', title: 'Memory', run };

const atMostMb = 250;

async function run(bench: Bench): Promise<PartResult> {
  const drained = scaled(bench, 100_000, 2_000);
  const backlog = scaled(bench, 1_000_000, 20_000);
  const longTexts = scaled(bench, 4_000, 400);
  const peaks: { backlog: string; mb: number | null }[] = [];
  await using large = await bench.server.createDatabase({ migrated: true });
  await addPending(large.sql, 0, backlog);
  for (let round = 1; round <= rounds; round++) {
    await using small = await bench.server.createDatabase({ migrated: true });
    await addPending(small.sql, 0, drained);
    peaks.push({ backlog: number(drained), mb: await peakOfRelay(bench, small, drained) });
    // Each takes its part of the backlog and leaves the rest to the next.
    peaks.push({ backlog: number(backlog), mb: await peakOfRelay(bench, large, drained) });
    await using long = await bench.server.createDatabase({ migrated: true });
    await addLongTexts(long.sql, longTexts);
    const mb = await peakOfRelay(bench, long, longTexts);
    peaks.push({ backlog: `${number(longTexts)}, some with texts of 40 KiB to 2.9 MiB`, mb });
    bench.progress(`round ${round} of ${rounds}`);
  }

  const known = peaks.flatMap(({ backlog, mb }) => (mb === null ? [] : [{ backlog, mb }]));
  const byBacklog = [...Map.groupBy(known, ({ backlog }) => backlog)].map(([backlog, runs]) => ({
    backlog,
    peak: measured(runs.map(({ mb }) => mb)),
  }));
  const most = Math.max(...known.map(({ mb }) => mb));
  return {
    tables: [
      {
        title: 'a relay’s peak of resident memory (VmHWM)',
        rows: [['backlog', 'MB'], ...byBacklog.map(({ backlog, peak }) => [backlog, withSpread(peak, 0)])],
      },
    ],
    goals: [
      {
        goal: `below ${atMostMb} MB at any backlog and any mixture of rows`,
        measured: known.length === 0 ? 'not known without /proc' : `at most ${number(most)} MB`,
        met: known.length > 0 && most < atMostMb,
      },
    ],
    figures: { peakMb: byBacklog },
  };
}

/** @returns MB, when a relay of its own has settled so many rows */
async function peakOfRelay({ sink }: Bench, { sql, url }: Database, rows: number): Promise<number | null> {
  const relay = await startRelay(url, sink.url);
  try {
    await hint(sql);
    await untilSettled([relay], rows);
    return await peakMemoryMb(relay.pid);
  } finally {
    await relay.stop();
  }
}
