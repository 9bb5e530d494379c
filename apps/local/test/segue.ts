import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeOf } from '@segue/local-postgres/home.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { type RunningProcess, startProcess } from '@segue/testing/process.ts';
import { expect, onTestFinished } from 'vitest';
import { type DataFolder, dataFolderAt } from '../dataFolder.ts';

/** A machine under test may be busy, and a first start makes a database cluster. */
const startsWithinMs = 60_000;

export type Segue = RunningProcess & {
  /** Waits for a text in the output. */
  untilSaid(text: string): Promise<void>;
  /** What was said, as one text. */
  said(): string;
  /** The address in the line of this name: `http://127.0.0.1:41237`. */
  address(name: string): string;
};

/** A data folder of its own, removed at the end with what lies elsewhere as root. */
export async function newDataFolder(): Promise<DataFolder> {
  const path = await mkdtemp(join(tmpdir(), 'segue-start-'));
  const folder = dataFolderAt(path);
  const { folder: home } = await homeOf(folder.postgres);
  onTestFinished(async () => {
    await rm(home, { recursive: true, force: true });
    await rm(path, { recursive: true, force: true });
  });
  return folder;
}

/** Runs what `npm start` runs, on ports of its own. Ends with the test at the latest. */
export async function startSegue(
  folder: DataFolder,
  environment: Record<string, string> = {},
): Promise<Segue> {
  const child = await startProcess('apps/local/main.ts', {
    SEGUE_DATA_FOLDER: folder.path,
    API_PORT: '0',
    RELAY_PORT: '0',
    WORKER_PORT: '0',
    ...environment,
  });
  onTestFinished(async () => void (await child.stop()));
  const said = () => child.output.join('\n');
  let ended = false;
  child.exited.then(() => {
    ended = true;
  });
  return {
    ...child,
    said,
    async untilSaid(text) {
      const outcome = await eventually(
        () => {
          if (said().includes(text)) return 'said';
          if (ended) return 'ended';
          throw new Error(`It did not say "${text}", but:\n${said()}`);
        },
        { timeoutMs: startsWithinMs },
      );
      if (outcome === 'ended') throw new Error(`It ended without saying "${text}":\n${said()}`);
    },
    address(name) {
      const address = new RegExp(`^  ${name} .*?(http://[^\\s/]+)`, 'm').exec(said())?.[1];
      if (!address) throw new Error(`no address of ${name} in:\n${said()}`);
      return address;
    },
  };
}

/** Once all is announced, the tour included. */
export async function untilUp(segue: Segue): Promise<void> {
  await segue.untilSaid('Ctrl-C stops everything');
}

/** The process ids of all that runs, or ran, beside the main process, from what each wrote about itself. */
export async function childrenOf(
  folder: DataFolder,
): Promise<{ api: number; relay: number; worker: number; postgres: number }> {
  const lastPid = async (name: string) => {
    const log = await readFile(join(folder.logs, `${name}.log`), 'utf8');
    return Number(
      log
        .match(/"pid":\d+/g)
        ?.at(-1)
        ?.slice('"pid":'.length),
    );
  };
  const { folder: home } = await homeOf(folder.postgres);
  const pidFile = join(home, 'data/postmaster.pid');
  const postgres = existsSync(pidFile) ? Number.parseInt(await readFile(pidFile, 'utf8'), 10) : 0;
  return {
    api: await lastPid('api'),
    relay: await lastPid('relay'),
    worker: await lastPid('worker'),
    postgres,
  };
}

export async function expectAllGone(pids: number[]): Promise<void> {
  expect(pids.every(pid => pid > 0)).toBe(true);
  await eventually(async () => {
    const running = await Promise.all(pids.map(isRunning));
    expect(pids.filter((_, index) => running[index])).toEqual([]);
  });
}

async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // Dead, and only not buried yet: in a container nobody may be there to do it.
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return !/\) Z /.test(state);
}
