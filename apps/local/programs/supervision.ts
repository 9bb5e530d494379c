import type { ProcessExit } from '@segue/child-process/childProcess.ts';
import { pause } from '@segue/process/pause.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { aborted } from './stopping.ts';

/** Something that runs until it is stopped, or ends by itself, which it should not. */
export type Running = {
  exited: Promise<ProcessExit>;
  stop(): Promise<unknown>;
};

export type Supervised = {
  name: string;
  /**
   * Resolves when it is ready to work.
   *
   * @throws what keeps it from that, or that the signal was aborted; nothing of it is left running then
   */
  start(signal: AbortSignal): Promise<Running>;
  /** Why it ended, in its own words; null when it left none. */
  lastWords(): string | null;
};

export type Supervision = AsyncDisposable & {
  /** Resolves when it is ready for the first time; rejects when it does not get there. */
  ready: Promise<void>;
};

export type SupervisionOptions = {
  say(line: string): void;
  /** Before it is started again, then doubled up to 30 s; by default 1 s. */
  firstPauseMs?: number;
};

const longestPauseMs = 30_000;
/** What ran that long starts with a short pause again. */
const steadyAfterMs = 60_000;

/**
 * Starts something and keeps it running: what ends by itself is started again after a pause, for ever. Only a
 * first start that fails is given up, since trying again mends no configuration.
 */
export function supervise(
  { name, start, lastWords }: Supervised,
  { say, firstPauseMs = 1_000 }: SupervisionOptions,
): Supervision {
  const stopping = new AbortController();
  const { signal } = stopping;
  const stopped = aborted(signal);
  let pauseMs = firstPauseMs;

  async function keep(running: Running): Promise<void> {
    let current = running;
    while (!signal.aborted) {
      const startedAt = performance.now();
      const exit = await Promise.race([current.exited, stopped]);
      if (!exit) break;
      if (performance.now() - startedAt > steadyAfterMs) pauseMs = firstPauseMs;
      const words = lastWords();
      const how = exit.signal ?? `exit code ${exit.code}`;
      say(`${name} ended by itself (${how}${words ? `: ${words}` : ''}). ${nextAttempt()}`);
      current = (await startAgain()) ?? current;
    }
    await current.stop();
  }

  /** Null when it is to be stopped before it is ready. */
  async function startAgain(): Promise<Running | null> {
    for (;;) {
      await pause(pauseMs, signal);
      if (signal.aborted) return null;
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      try {
        const running = await start(signal);
        say(`${name} is running again.`);
        return running;
      } catch (error) {
        if (!signal.aborted) say(`${name} is not running yet: ${reasonOf(error)}. ${nextAttempt()}`);
      }
    }
  }

  const nextAttempt = () => `It is started again in ${Math.ceil(pauseMs / 1000)} s.`;

  const first = start(signal);
  const kept = first.then(keep, () => undefined);
  return {
    ready: first.then(() => undefined),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await kept;
    },
  };
}
