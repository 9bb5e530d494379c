import { hint } from '@segue/outbox/hint.ts';
import type { Bench, PartResult } from '../../bench.ts';
import { rounds, scaled } from '../../bench.ts';
import type { Database } from '../../database.ts';
import { fill, untilSettled } from '../../outboxDrain.ts';
import { recordings } from '../../recordings.ts';
import { type RelayProcess, startRelay } from '../../relayProcess.ts';
import { type Measured, measured, percentile, ratio } from '../../statistics.ts';
import { addSteadily, addTrack } from '../../steadyAdditions.ts';
import { number, withSpread } from '../../table.ts';

const perSecond = 500;
/** Most that the drain may lose while nothing can be vacuumed. */
const mayLose = 0.2;
/** Additions of one second that may be under way at its end. */
const backlogIsNone = perSecond / 2;

/**
 * Holds a transaction open while additions come in, so that PostgreSQL must keep every dead row version and
 * every dead index entry. Bursts before and at the end show what the relay can still do; the seconds between
 * show that it keeps up.
 */
export async function measureHeldTransaction(bench: Bench): Promise<PartResult> {
  const seconds = scaled(bench, 120, 3);
  await using database = await bench.server.createDatabase({ migrated: true });
  const relay = await startRelay(database.url, bench.sink.url);
  const burst = burstsOf(relay, database, scaled(bench, 20_000, 2_000));
  try {
    await burst();
    const before = await several(burst);

    const holder = await database.sql.reserve();
    await holder`BEGIN ISOLATION LEVEL REPEATABLE READ`;
    // A snapshot holds back vacuum; an id of its own also keeps it from knowing that the rest has ended.
    await holder`SELECT pg_current_xact_id(), (SELECT count(*) FROM library_tracks)`;
    const backlogs = await backlogEachSecond(relay, database, seconds);
    const during = await several(burst);
    const [{ dead }] = await database.sql<[{ dead: number }]>`
      SELECT pg_stat_force_next_flush(), n_dead_tup::int AS dead FROM pg_stat_user_tables
      WHERE relname = 'ingestion_outbox'`;
    await holder`ROLLBACK`;
    holder.release();
    return describe({ seconds, before, during, backlogs, dead });
  } finally {
    await relay.stop();
  }
}

async function several(burst: () => Promise<number>): Promise<Measured> {
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) rates.push(await burst());
  return measured(rates);
}

/** Makes a function that commits so many rows at once, and gives the rows/s at which they were settled. */
function burstsOf(relay: RelayProcess, { sql }: Database, rows: number): () => Promise<number> {
  let first = 1;
  return async () => {
    const requested = recordings(first, rows);
    first += rows;
    const until = relay.settledRows() + rows;
    await fill(sql, requested);
    const start = performance.now();
    await hint(sql);
    return rows / (((await untilSettled([relay], until)) - start) / 1_000);
  };
}

/** @returns the rows that were committed and not yet settled, at the end of each second */
async function backlogEachSecond(relay: RelayProcess, { sql }: Database, seconds: number): Promise<number[]> {
  const requested = recordings(15_000_000, perSecond * seconds);
  const settledBefore = relay.settledRows();
  const backlogs: number[] = [];
  let added = 0;
  const sampling = setInterval(() => backlogs.push(added - (relay.settledRows() - settledBefore)), 1_000);
  try {
    await addSteadily({ perSecond, seconds }, async number => {
      await addTrack(sql, requested[number] as (typeof requested)[number]);
      added += 1;
    });
    await untilSettled([relay], settledBefore + requested.length);
  } finally {
    clearInterval(sampling);
  }
  return backlogs;
}

type Held = { seconds: number; before: Measured; during: Measured; backlogs: number[]; dead: number };

function describe({ seconds, before, during, backlogs, dead }: Held): PartResult {
  const third = Math.ceil(backlogs.length / 3);
  const typical = (part: number[]) => percentile(part, 50);
  const atFirst = typical(backlogs.slice(0, third));
  const atLast = typical(backlogs.slice(-third));
  const share = ratio(during, before);
  return {
    tables: [
      {
        title: `a transaction held open for ${seconds} s at ${perSecond} additions/s; ${number(dead)} dead rows at the end`,
        rows: [
          ['', 'before', 'at the end', 'ratio'],
          ['drain of a burst, rows/s', withSpread(before, 0), withSpread(during, 0), withSpread(share, 2)],
          ['backlog at 500/s, rows (first and last third)', number(atFirst), number(atLast), ''],
        ],
      },
    ],
    goals: [
      {
        goal: `with a transaction held open, throughput falls by at most ${mayLose * 100} %`,
        measured: `${number((1 - share.median) * 100)} %`,
        met: share.median >= 1 - mayLose,
      },
      {
        goal: 'and the backlog does not grow',
        measured: `${number(atFirst)} rows at first, ${number(atLast)} at last`,
        met: atLast <= atFirst + backlogIsNone,
      },
    ],
    figures: { perSecond, seconds, before, during, backlogs, deadRows: dead },
  };
}
