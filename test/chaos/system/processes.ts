import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { peakMemoryMb } from '@segue/child-process/peakMemory.ts';
import { pause } from '@segue/process/pause.ts';
import { type RunningProcess, startProcess } from '@segue/testing/process.ts';
import { count } from '../count.ts';
import type { Random } from '../random.ts';

type CrashPlan = {
  /** Names of crash points; one is armed at seven of ten starts, in a third of them to pause the process there. */
  points: readonly string[];
  /** The pass at which it fires, at the most. */
  latestPass: number;
};

export type KeptAliveOptions = {
  entry: string;
  /** Of each start anew. */
  environment: () => Record<string, string>;
  crashes: CrashPlan;
  random: Random;
  tally: Tally;
};

/** What has happened to processes; the figures of the run. */
export type Tally = {
  /** By the crash point, or `SIGKILL`. */
  kills: Map<string, number>;
  cleanStops: number;
  /** By the crash point, or `SIGSTOP`. */
  pauses: Map<string, number>;
  /** Starts that found no database, said so in the last line and ended with exit code 1, for a supervisor to repeat. */
  startsInVain: number;
  leasesLost: number;
  /** Of a relay, at the ends of rounds. */
  highestMemoryMb: number;
  /** What no process may do, in a sentence each. */
  problems: string[];
};

/** A program that is started again whenever it ends, as a supervisor would. */
export type KeptAlive = {
  /** Of the process that is there now; null while there is none. */
  address(): string | null;
  /** Another one for each process that there was, and each time that it was paused. */
  life(): string;
  /** Nothing happens to a process that is not ready yet. */
  kill(): void;
  stopCleanly(): void;
  pause(ms: number): Promise<void>;
  /** Reads its log no more, or closes it, as the process that took it would by dying. */
  neglectLog(how: 'unread' | 'closed'): void;
  /** Of its output, for people. */
  lastLines(): readonly string[];
  /** The most memory that the process there is now has had resident, in MB; 0 where nobody can tell. */
  peakMemoryMb(): Promise<number>;
  /** Whether starts may arm a crash point from now on. One that is armed already may still fire. */
  threaten(on: boolean): void;
  end(): Promise<void>;
};

const restartMs = 100;
/** A process that stops at a crash point goes on after this: longer than the lease of a relay. */
const stoodStillMs = 3_000;
/** The contract has 10 s; two more for a machine that is busy. */
const stopWithinMs = 12_000;
/** A process that ignores SIGTERM is killed then. */
const killAfterMs = 30_000;

type Life = {
  process: RunningProcess;
  address: string;
  asked: NodeJS.Signals | null;
  /** On `performance.now()`. */
  askedAt: number;
  /** How long it was paused. */
  stoodStillMs: number;
};

export function keepAlive({ entry, environment, crashes, random, tally }: KeptAliveOptions): KeptAlive {
  let current: Life | null = null;
  let ending = false;
  let threatened = true;

  async function run(): Promise<void> {
    while (!ending) {
      const point = threatened && random.chance(0.7) ? random.oneOf(crashes.points) : null;
      const pauses = point !== null && random.chance(1 / 3);
      const crashAt = point === null ? '' : `${point}:${random.between(1, crashes.latestPass)}`;
      const child = await startProcess(entry, {
        ...environment(),
        CRASH_AT: pauses ? `${crashAt}:SIGSTOP` : crashAt,
      });
      const life: Life = { process: child, address: '', asked: null, askedAt: 0, stoodStillMs: 0 };
      const over = new AbortController();
      if (pauses) void goOnAfter(life, point, over.signal);
      child
        .waitForLog(({ address }) => address !== undefined, 60_000)
        .then(
          ({ address }) => {
            life.address = String(address);
            current = life;
            if (ending) ask('SIGTERM');
          },
          () => undefined,
        );
      const { code, signal } = await child.exited;
      over.abort();
      current = null;
      account(child, { code, signal, life, point: pauses ? null : point });
      await wait(restartMs);
    }
  }

  /** Lets a process go on that has stopped itself at a crash point. */
  async function goOnAfter(life: Life, point: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !(await hasStopped(life.process.pid))) await pause(50, signal);
    if (signal.aborted) return;
    count(tally.pauses, point);
    await pause(stoodStillMs, signal);
    life.stoodStillMs += stoodStillMs;
    life.process.kill('SIGCONT');
  }

  type End = {
    code: number | null;
    signal: NodeJS.Signals | null;
    life: Life;
    /** Where it was to be killed. */
    point: string | null;
  };

  function account(child: RunningProcess, { code, signal, life, point }: End): void {
    const { asked } = life;
    tally.leasesLost += child.logs.filter(({ event }) => event === 'lease_lost').length;
    if (signal === 'SIGKILL' && (asked === 'SIGKILL' || point !== null)) {
      const how = asked === 'SIGKILL' ? 'SIGKILL' : (point as string);
      count(tally.kills, how);
    } else if (code === 0 && asked === 'SIGTERM') {
      tally.cleanStops += 1;
      const tookMs = performance.now() - life.askedAt - life.stoodStillMs;
      if (tookMs > stopWithinMs)
        tally.problems.push(`${entry} took ${Math.round(tookMs)} ms to end after SIGTERM`);
    } else if (code === 1 && life.address === '' && child.logs.at(-1)?.msg?.startsWith('not started: ')) {
      tally.startsInVain += 1;
    } else {
      const how = `${signal ?? `exit code ${code}`}, asked to by ${asked ?? 'nobody'}`;
      tally.problems.push(
        `${entry} ended (${how}). Its last lines:\n  ${child.output.slice(-5).join('\n  ')}`,
      );
    }
  }

  function ask(signal: NodeJS.Signals): void {
    if (current === null || current.asked !== null) return;
    const { process } = current;
    Object.assign(current, { asked: signal, askedAt: performance.now() });
    process.kill(signal);
    if (signal !== 'SIGTERM') return;
    const timer = setTimeout(() => process.kill('SIGKILL'), killAfterMs);
    process.exited.then(() => clearTimeout(timer));
  }

  const running = run();
  return {
    address: () => current?.address ?? null,
    life: () => `${current?.process.pid} ${current?.stoodStillMs}`,
    kill: () => ask('SIGKILL'),
    stopCleanly: () => ask('SIGTERM'),
    async pause(ms) {
      const paused = current;
      if (paused === null || paused.asked !== null) return;
      count(tally.pauses, 'SIGSTOP');
      paused.process.kill('SIGSTOP');
      await wait(ms);
      paused.stoodStillMs += ms;
      paused.process.kill('SIGCONT');
    },
    neglectLog: how => current?.process.neglectOutput(how),
    lastLines: () => current?.process.output.slice(-5) ?? ['it is not there'],
    async peakMemoryMb() {
      return Math.round((current && (await peakMemoryMb(current.process.pid))) ?? 0);
    },
    threaten(on) {
      threatened = on;
    },
    async end() {
      ending = true;
      ask('SIGTERM');
      await running;
    },
  };
}

/** Whether a process has been stopped by SIGSTOP. Only Linux can tell; elsewhere nobody goes on, and it is killed. */
async function hasStopped(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
}
