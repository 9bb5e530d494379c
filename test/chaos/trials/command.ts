import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { spawnKept } from '@segue/child-process/childProcess.ts';
import type { Random } from '../random.ts';

const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url));

export type KilledInTheMiddle = {
  /** Of the command that requests recordings, such as `backfill --user ada`. */
  command: string[];
  environment: Record<string, string>;
  /** Says how the first one is ended: by SIGKILL, or by Ctrl-C. */
  random: Random;
  /** How many it has requested by now. */
  requested: () => Promise<number>;
  /** For each of the two; the command waits while other requests are open. */
  longestMs: number;
};

/**
 * Runs a command of `npm run outbox` until it has requested something, ends it, and runs it again to its end.
 *
 * @returns how the second one ended, with its last lines
 */
export async function runTwice(
  trial: KilledInTheMiddle,
): Promise<{ code: number | null; lastLines: string[] }> {
  const first = await start(trial);
  let ended = false;
  first.exited.then(() => (ended = true));
  const begun = performance.now();
  while (!ended && performance.now() - begun < trial.longestMs && (await trial.requested()) === 0)
    await wait(20);
  first.kill(trial.random.chance(0.5) ? 'SIGKILL' : 'SIGINT');
  await first.exited;
  const second = await start(trial);
  const overdue = setTimeout(() => second.kill('SIGKILL'), trial.longestMs);
  const { code } = await second.exited;
  clearTimeout(overdue);
  return { code, lastLines: second.lines.slice(-5) };
}

async function start({ command, environment }: KilledInTheMiddle) {
  const lines: string[] = [];
  const options = ['--yes', '--reason', 'chaos', '--per-minute', '9999999'];
  const kept = await spawnKept(process.execPath, ['apps/cli/main.ts', ...command, ...options], {
    cwd: repositoryRoot,
    env: { PATH: process.env.PATH, ...environment },
    output: line => lines.push(line),
  });
  return { ...kept, lines };
}
