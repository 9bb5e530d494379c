import { setTimeout as wait } from 'node:timers/promises';
import { eventId } from '@segue/ingestion/event.ts';
import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import { hint } from '@segue/outbox/hint.ts';
import { type Bench, type Part, type PartResult, rounds, scaled } from '../bench.ts';
import { fill, untilSettled } from '../outboxDrain.ts';
import { isIndexed, type Recording, recordings } from '../recordings.ts';
import { startRelay } from '../relayProcess.ts';
import { sinkNow } from '../sink/sink.ts';
import { measured } from '../statistics.ts';
import { addSteadily, addTrack } from '../steadyAdditions.ts';
import { withSpread } from '../table.ts';

/** How long events wait while a relay is replaced. */
export const restart: Part = { name: 'restart', title: 'A relay that is replaced', run };

const killedAtMostMs = 7_000;
const rolledAtMostMs = 2_000;
const perSecond = 50;
const lookEveryMs = 50;

async function run(bench: Bench): Promise<PartResult> {
  const killed: { firstEvent: number; addition: number }[] = [];
  const rolled: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    killed.push(await killAndRestart(bench));
    rolled.push(await rollOver(bench));
    bench.progress(`round ${round} of ${rounds}`);
  }
  const firstEvent = measured(killed.map(run => run.firstEvent));
  const addition = measured(killed.map(run => run.addition));
  const longest = measured(rolled);
  return {
    tables: [
      {
        title: 'ms until events arrive',
        rows: [
          ['', 'ms'],
          ['after SIGKILL of the only relay, the first of those it had read', withSpread(firstEvent, 0)],
          ['an addition that is made while no relay is there', withSpread(addition, 0)],
          [
            `while a second relay comes and the first stops, the longest of ${perSecond} a second`,
            withSpread(longest, 0),
          ],
        ],
      },
    ],
    goals: [
      {
        goal: `a killed relay that is restarted at once delays nothing by more than ${killedAtMostMs} ms`,
        measured: `${withSpread(firstEvent, 0)} ms, an addition ${withSpread(addition, 0)} ms`,
        met: Math.max(firstEvent.median, addition.median) <= killedAtMostMs,
      },
      {
        goal: `a rolling restart delays nothing by more than ${rolledAtMostMs} ms`,
        measured: `${withSpread(longest, 0)} ms`,
        met: longest.median <= rolledAtMostMs,
      },
    ],
    figures: { firstEventMs: firstEvent, additionMs: addition, rollingMs: longest },
  };
}

/** Kills a relay in the middle of a backlog, and starts another at once. */
async function killAndRestart(bench: Bench): Promise<{ firstEvent: number; addition: number }> {
  const { server, sink } = bench;
  await using database = await server.createDatabase({ migrated: true });
  const { sql, url } = database;
  const rows = scaled(bench, 30_000, 10_000);
  const [added] = withEvents(recordings(1 + rows, 100)) as [Recording];
  const relay = await startRelay(url, sink.url);
  await sink.reset();
  await fill(sql, recordings(1, rows));
  await hint(sql);
  await untilSettled([relay], rows / 5);
  const killedAt = sinkNow();
  await relay.kill();
  await addTrack(sql, added);
  const addedAt = sinkNow();
  // What was under way to the sink has arrived by now.
  const known = new Set((await sink.report({ withArrivals: true })).arrivals.map(([id]) => id));
  const next = await startRelay(url, sink.url);
  try {
    let first: number | undefined;
    for (;;) {
      const { arrivals } = await sink.report({ withArrivals: true });
      first ??= arrivals.find(([id]) => !known.has(id))?.[1];
      const own = arrivals.find(([id]) => id === eventId(added.isrc, 1))?.[1];
      if (first !== undefined && own !== undefined) {
        return { firstEvent: first - killedAt, addition: own - addedAt };
      }
      await wait(lookEveryMs);
    }
  } finally {
    await next.stop();
  }
}

/** Makes additions all the time, starts a second relay, and stops the first. @returns the longest wait */
async function rollOver(bench: Bench): Promise<number> {
  const { server, sink } = bench;
  await using database = await server.createDatabase({ migrated: true });
  const { sql, url } = database;
  const seconds = 12;
  const requested = withEvents(recordings(1, 2 * perSecond * seconds)).slice(0, perSecond * seconds);
  const committedAt = new Map<string, number>();
  const first = await startRelay(url, sink.url);
  await sink.reset();
  const additions = addSteadily({ perSecond, seconds }, async number => {
    const recording = requested[number] as Recording;
    await addTrack(sql, recording);
    committedAt.set(eventId(recording.isrc, 1), sinkNow());
    await hint(sql);
  });
  await wait(2_000);
  const second = await startRelay(url, sink.url);
  try {
    await first.stop();
    await additions;
    for (;;) {
      const { arrivals } = await sink.report({ withArrivals: true });
      if (arrivals.length >= committedAt.size) {
        return Math.max(...arrivals.map(([id, at]) => at - (committedAt.get(id) ?? at)));
      }
      await wait(lookEveryMs);
    }
  } finally {
    await second.stop();
  }
}

/** Different recordings that the index of the benchmarks does not have. */
function withEvents(all: Recording[]): Recording[] {
  const byIsrc = new Map(all.map(recording => [recording.isrc, recording]));
  return [...byIsrc.values()].filter(({ isrc }) => !isIndexed(hashIsrcToUuid(isrc)));
}
