import { setTimeout as wait } from 'node:timers/promises';
import { pause } from '@segue/process/pause.ts';
import { startAdditions } from './additions.ts';
import { count } from './count.ts';
import { documentViolations, type WorkerOutcome } from './documents.ts';
import { repertoire } from './faults/repertoire.ts';
import { handsOf, untouched } from './hands.ts';
import { isOfLossyFamily, lossViolations, mendLostEvents } from './lostEvents.ts';
import { type Outcome, violations } from './model.ts';
import {
  countInserts,
  countOpen,
  countOwed,
  type Held,
  lastSettled,
  noteADay,
  passADay,
  readBrokenAlbums,
  readHeld,
  readTables,
  sendAnewAtOnce,
  startCalendar,
} from './observation.ts';
import { randomStream } from './random.ts';
import { type Blow, scheduleOf } from './schedule.ts';
import { onFreshConnection } from './system/database.ts';
import type { Tally } from './system/processes.ts';
import { startSystem } from './system/system.ts';
import type { Trial } from './trials/trial.ts';
import { trials } from './trials/trials.ts';
import { indexedFromTheStart, isRefused, sizeViolations, wishesOf } from './workload.ts';

export type ChaosOptions = {
  seed: number;
  /** How long blows fall, in all. Each round takes some seconds more, in which the outbox is drained. */
  seconds: number;
  /** Ends the run early: the round that is under way is the last one, and is over. */
  signal: AbortSignal;
  say: (line: string) => void;
};

/** What a run has shown. */
export type Figures = {
  tally: Tally;
  /** How often which fault was brought about. */
  faults: Map<string, number>;
  additions: number;
  /** Rows by what became of them. */
  rows: Map<string, number>;
  /** Event ids that Inngest has accepted, and how often it was sent one that it had already. */
  events: number;
  repeatedSends: number;
  /** Points that the worker has written. */
  documents: number;
  /** Runs of the worker that have used up their attempts. */
  failedRuns: number;
  /** Additions seen to be sent within 5 s, beside a storm or a relay that cannot send. */
  sentInTime: number;
  /** ms from the end of the last fault until nothing was open. */
  longestDrainMs: number;
  /** ms from the kill of a relay until all was settled that was due then, whatever else was broken. */
  longestRecoveryMs: number;
  /** What is wrong; empty when all is well. */
  violations: string[];
};

const roundMs = 20_000;
/** Leases, breakers, retries and restarts take some seconds. What takes so long is stuck. */
const drainWithinMs = 60_000;

/**
 * Adds, and breaks everything meanwhile. After each round of 20 s all faults are ended, the outbox is drained,
 * and the whole is held against the model; then a day may pass, so that recordings are sent anew.
 *
 * @throws when the run itself cannot go on
 */
export async function runChaos({ seed, seconds, signal, say }: ChaosOptions): Promise<Figures> {
  const rounds = Math.ceil((seconds * 1_000) / roundMs);
  const { wishes, catalogue } = wishesOf({ seed, rounds, roundMs });
  const random = randomStream(seed, 'between rounds');
  const indexed = new Set(indexedFromTheStart);
  const faults = new Map<string, number>();
  const underWayFaults = new Set<string>();
  const kills: Held[] = [];
  const touched = untouched();
  const firstTrial = random.between(0, trials.length - 1);
  let window = 0;
  let longestDrainMs = 0;
  let sentInTime = 0;

  const system = await startSystem({
    seed,
    catalogue,
    hands: handsOf(touched),
    noteDue,
    forgetDue: () => kills.splice(0),
  });
  const { sql, services, tally } = system;
  const schedule = scheduleOf({ seed, repertoire, rounds, roundMs });
  const additions = startAdditions({ sql, apiAddress: system.apiAddress, window: () => window });

  async function strike({ subject, fault, random }: Blow): Promise<void> {
    const name = fault === null ? `${subject.name}: calm` : `${subject.name}: ${fault.name}`;
    if (fault !== null) count(faults, name);
    underWayFaults.add(name);
    await (fault ?? subject.calm)?.strike(system, random);
    underWayFaults.delete(name);
  }

  /** Not waited for: the database may be away. */
  function noteDue(): void {
    readHeld(sql).then(
      held => kills.push(held),
      () => undefined,
    );
  }

  /** @returns what is still under way when the time is up */
  async function storm(round: number): Promise<Promise<void>[]> {
    const ms = Math.min(roundMs, seconds * 1_000 - round * roundMs);
    const made = wishes
      .filter(wish => wish.round === round && wish.atMs < ms)
      .map(wish => ({ atMs: wish.atMs, begin: () => additions.make(wish) }));
    const struck = (schedule[round] as Blow[])
      .filter(({ atMs }) => atMs < ms)
      .map(blow => ({ atMs: blow.atMs, begin: () => strike(blow) }));
    return await inTime(ms, [...made, ...struck], signal);
  }

  /** Waits until no run of the worker is under way. */
  async function finishRuns(): Promise<void> {
    const start = performance.now();
    while (services.runsUnderWay() > 0 && performance.now() - start < drainWithinMs) await wait(50);
  }

  async function drain(): Promise<number> {
    const start = performance.now();
    // What is owed first: it becomes rows.
    const isBusy = async () =>
      (await countInserts(sql)) > 0 || (await countOwed(sql)) > 0 || (await countOpen(sql)) > 0;
    while (await isBusy().catch(() => true)) {
      if (performance.now() - start > drainWithinMs) break;
      await wait(50);
    }
    return performance.now() - start;
  }

  /** Of all recordings but those of which Inngest loses some: they have rules of their own. */
  function observe(): Promise<Outcome> {
    const isSafe = ({ isrc }: { isrc: unknown }) => !isOfLossyFamily(String(isrc));
    return onFreshConnection(system.databaseUrl, async fresh => ({
      ...onlySafe(await readTables(fresh), isSafe),
      additions: (await additions.read(fresh)).filter(isSafe),
      events: services.events().filter(({ data }) => isSafe({ isrc: data?.isrc })),
      isIndexed: isrc => indexed.has(isrc),
      isRefused,
      touched,
    }));
  }

  await onFreshConnection(system.databaseUrl, async fresh => {
    await startCalendar(fresh);
    await sendAnewAtOnce(fresh);
  });

  let outcome: Outcome | undefined;
  let documents: WorkerOutcome | undefined;
  const wrong: string[] = [];
  try {
    for (let round = 0; round < rounds && wrong.length === 0 && !signal.aborted; round++) {
      system.threaten();
      const underWay = await storm(round);
      await system.heal();
      if (!(await endsWithin(drainWithinMs, Promise.all(underWay))))
        wrong.push(
          `R1: additions are not answered for a minute, or a fault does not end: ` +
            [...underWayFaults, ...additions.unanswered().slice(0, 5), ...system.api.lastLines()].join('; '),
        );
      const drainMs = await drain();
      longestDrainMs = Math.max(longestDrainMs, drainMs);
      const trial = trials[(round + firstTrial) % trials.length] as Trial;
      count(faults, `alone: ${trial.name}`);
      wrong.push(
        ...(await trial.hold({
          on: system,
          additions,
          random,
          round,
          onInTime: more => (sentInTime += more),
        })),
      );
      await drain();
      await finishRuns();
      const wiped = random.chance(0.4);
      if (wiped) count(faults, 'alone: index wiped');
      wrong.push(
        ...(await onFreshConnection(system.databaseUrl, fresh =>
          mendLostEvents({ sql: fresh, services, touched, indexed, wiped }),
        )),
        ...lossViolations(services.events()),
      );
      outcome = await observe();
      documents = await services.workerOutcome();
      const brokenAlbums = await onFreshConnection(system.databaseUrl, fresh =>
        readBrokenAlbums(fresh, catalogue),
      );
      wrong.push(
        ...violations(outcome),
        ...documentViolations(documents),
        ...brokenAlbums,
        ...additions.problems,
        ...tally.problems,
        ...sizeViolations(outcome.rows),
        ...(await system.memoryProblems()),
      );
      say(
        `round ${round + 1} of ${rounds}: ${outcome.rows.length} rows, ${outcome.events.length} sends, ` +
          `drained in ${Math.round(drainMs)} ms, ${wrong.length} violations`,
      );

      const sent = [...new Set(outcome.events.map(({ data }) => String(data?.isrc)))];
      const newlyIndexed = sent.filter(isrc => !indexed.has(isrc) && random.chance(0.1));
      await services.index(newlyIndexed);
      for (const isrc of newlyIndexed) indexed.add(isrc);
      if (random.chance(0.6)) {
        window += 1;
        await onFreshConnection(system.databaseUrl, async fresh => {
          await passADay(fresh);
          await noteADay(fresh);
        });
      }
    }
    const recoveries = await onFreshConnection(system.databaseUrl, fresh =>
      Promise.all(kills.map(held => lastSettled(fresh, held))),
    );
    const { additions: added, rows, events } = outcome as Outcome;
    const ids = new Set(events.map(({ id }) => id)).size;
    return {
      tally,
      faults,
      additions: added.length,
      rows: rows.reduce(
        (counts, { status, reason }) => count(counts, status === 'skipped' ? `${status}, ${reason}` : status),
        new Map<string, number>(),
      ),
      events: ids,
      repeatedSends: events.length - ids,
      documents: documents?.points.length ?? 0,
      failedRuns: documents?.runs.filter(({ status }) => status === 'Failed').length ?? 0,
      longestDrainMs,
      sentInTime,
      longestRecoveryMs: Math.max(0, ...recoveries),
      violations: wrong,
    };
  } finally {
    additions.giveUp();
    await system.end();
  }
}

function onlySafe<Tables extends Pick<Outcome, 'rows' | 'ledger'>>(
  tables: Tables,
  isSafe: (of: { isrc: string }) => boolean,
): Tables {
  return { ...tables, rows: tables.rows.filter(isSafe), ledger: tables.ledger.filter(isSafe) };
}

/** @throws what the work throws */
async function endsWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const done = new AbortController();
  try {
    return await Promise.race([work.then(() => true), pause(ms, done.signal).then(() => false)]);
  } finally {
    done.abort();
  }
}

/** Begins each thing at its moment. @returns what they have begun, when the time is up */
async function inTime(
  ms: number,
  things: { atMs: number; begin: () => Promise<void> }[],
  signal: AbortSignal,
): Promise<Promise<void>[]> {
  const start = performance.now();
  const begun: Promise<void>[] = [];
  for (const { atMs, begin } of things.sort((one, other) => one.atMs - other.atMs)) {
    await pause(Math.max(0, start + atMs - performance.now()), signal);
    if (signal.aborted) return begun;
    const work = begin();
    // Its failure is looked at in the end; until then it must not count as unhandled.
    work.catch(() => undefined);
    begun.push(work);
  }
  await pause(Math.max(0, start + ms - performance.now()), signal);
  return begun;
}
