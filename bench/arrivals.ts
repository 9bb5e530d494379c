import { setTimeout as wait } from 'node:timers/promises';
import { IngestionHint } from '@segue/api/ingestion/hint.ts';
import { eventId } from '@segue/ingestion/event.ts';
import { hint } from '@segue/outbox/hint.ts';
import { createLogger } from '@segue/telemetry/logger.ts';
import type { Bench } from './bench.ts';
import type { Database } from './database.ts';
import { cpuSeconds } from './processUsage.ts';
import { type Recording, recordings } from './recordings.ts';
import { startRelay } from './relayProcess.ts';
import { sinkNow } from './sink/sink.ts';
import { addSteadily, addTrack } from './steadyAdditions.ts';

/** The first additions find a relay that has not worked yet, and waits for its next poll: 1.25 s at the most. */
const warmUpSeconds = 2;
const lookEveryMs = 20;

export type Load = {
  perSecond: number;
  seconds: number;
  /** Whether relays are told of each addition, as the API does. */
  hinted: boolean;
  /** What goes on meanwhile, in the same database; resolves when it has begun, with how to end it. */
  beside?: (database: Database) => Promise<() => Promise<void>>;
};

export type Run = {
  /** ms from the commit's answer to the event's arrival, one for each recording that is not indexed. */
  latencies: number[];
  /** CPU time of the relay; null where it cannot be known. */
  relayShareOfCore: number | null;
};

/** Makes additions evenly over time, and measures how long after its commit the event of each is at Inngest. */
export async function additionsToArrivals(
  { server, sink }: Bench,
  { perSecond, seconds, hinted, beside }: Load,
): Promise<Run> {
  await using database = await server.createDatabase({ migrated: true });
  const { sql, url } = database;
  const relay = await startRelay(url, sink.url);
  const hints = new IngestionHint(() => hint(sql), createLogger('bench', 'silent'));
  let endBeside: (() => Promise<void>) | undefined;
  try {
    endBeside = await beside?.(database);
    const warmUp = perSecond * warmUpSeconds;
    const total = warmUp + perSecond * seconds;
    // 5 % of them repeat a recording; those have no event, and the first request's commit is what counts.
    const requested = recordings(1, total);
    const isFirst = firstRequests(requested);
    const committedAt = new Map<string, number>();
    await sink.reset();
    const start = performance.now();
    const cpuBefore = await cpuSeconds(relay.pid, { descendants: false });
    await addSteadily({ perSecond, seconds: warmUpSeconds + seconds }, async number => {
      const recording = requested[number] as Recording;
      await addTrack(sql, recording);
      if (number >= warmUp && isFirst.has(number)) {
        committedAt.set(eventId(recording.isrc, 1), sinkNow());
      }
      if (hinted) hints.give();
    });
    const took = (performance.now() - start) / 1_000;
    const cpu = await cpuSeconds(relay.pid, { descendants: false });
    await endBeside?.();
    endBeside = undefined;
    await untilNothingIsOpen(database);
    const { arrivals } = await sink.report({ withArrivals: true });
    const latencies = arrivals.flatMap(([id, arrivedAt]) => {
      const committed = committedAt.get(id);
      return committed === undefined ? [] : [arrivedAt - committed];
    });
    const used = cpu === null || cpuBefore === null ? null : cpu - cpuBefore;
    return { latencies, relayShareOfCore: used === null ? null : used / took };
  } finally {
    await hints.flush();
    await endBeside?.();
    await relay.stop();
  }
}

/** The places in the list at which a recording is requested for the first time. */
function firstRequests(requested: Recording[]): Set<number> {
  const first = new Map<string, number>();
  requested.forEach(({ isrc }, number) => {
    if (!first.has(isrc)) first.set(isrc, number);
  });
  return new Set(first.values());
}

async function untilNothingIsOpen({ sql }: Database): Promise<void> {
  for (;;) {
    const [{ open }] = await sql<[{ open: boolean }]>`
      SELECT EXISTS (SELECT FROM ingestion_outbox WHERE settled_at IS NULL) AS open`;
    if (!open) return;
    await wait(lookEveryMs);
  }
}
