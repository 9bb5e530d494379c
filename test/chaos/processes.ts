import { setTimeout as wait } from 'node:timers/promises';
import { type RunningProcess, startProcess } from '@segue/testing/process.ts';
import type { Random } from './random.ts';

type CrashPlan = {
  /** Names of crash points; one is armed at seven of ten starts. */
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
  pauses: number;
  /** Starts that found no database, said so in one line and ended with exit code 1, for a supervisor to repeat. */
  startsInVain: number;
  leasesLost: number;
  /** What no process may do, in a sentence each. */
  problems: string[];
};

/** A program that is started again whenever it ends, as a supervisor would. */
export type KeptAlive = {
  /** Of the process that is there now; null while there is none. */
  address(): string | null;
  /** Nothing happens to a process that is not ready yet. */
  kill(): void;
  stopCleanly(): void;
  pause(ms: number): Promise<void>;
  /** Whether starts may arm a crash point from now on. One that is armed already may still fire. */
  threaten(on: boolean): void;
  end(): Promise<void>;
};

const restartMs = 100;

export function keepAlive({ entry, environment, crashes, random, tally }: KeptAliveOptions): KeptAlive {
  let current: { process: RunningProcess; address: string; asked: NodeJS.Signals | null } | null = null;
  let ending = false;
  let threatened = true;

  async function run(): Promise<void> {
    while (!ending) {
      const point = threatened && random.chance(0.7) ? random.oneOf(crashes.points) : null;
      const crashAt = point === null ? '' : `${point}:${random.between(1, crashes.latestPass)}`;
      const child = await startProcess(entry, { ...environment(), CRASH_AT: crashAt });
      const ready = child.waitForLog(({ address }) => address !== undefined, 60_000);
      const life = { process: child, address: '', asked: null as NodeJS.Signals | null };
      ready.then(
        ({ address }) => {
          life.address = String(address);
          current = life;
          if (ending) ask('SIGTERM');
        },
        () => undefined,
      );
      const { code, signal } = await child.exited;
      current = null;
      account(child, { code, signal, asked: life.asked, point });
      await wait(restartMs);
    }
  }

  type End = {
    code: number | null;
    signal: NodeJS.Signals | null;
    asked: NodeJS.Signals | null;
    point: string | null;
  };

  function account(child: RunningProcess, { code, signal, asked, point }: End): void {
    tally.leasesLost += child.logs.filter(({ lost }) => lost !== undefined).length;
    if (signal === 'SIGKILL' && (asked === 'SIGKILL' || point !== null)) {
      const how = asked === 'SIGKILL' ? 'SIGKILL' : (point as string);
      tally.kills.set(how, (tally.kills.get(how) ?? 0) + 1);
    } else if (code === 0 && asked === 'SIGTERM') {
      tally.cleanStops += 1;
    } else if (code === 1 && child.output.length === 1 && child.logs[0]?.msg?.startsWith('not started: ')) {
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
    current.asked = signal;
    current.process.kill(signal);
  }

  const running = run();
  return {
    address: () => current?.address ?? null,
    kill: () => ask('SIGKILL'),
    stopCleanly: () => ask('SIGTERM'),
    async pause(ms) {
      const paused = current;
      if (paused === null || paused.asked !== null) return;
      tally.pauses += 1;
      paused.process.kill('SIGSTOP');
      await wait(ms);
      paused.process.kill('SIGCONT');
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
