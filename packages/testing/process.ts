import { fileURLToPath } from 'node:url';
import { type ProcessExit, spawnKept } from '@segue/child-process/childProcess.ts';

const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url));
const stopWithinSeconds = 10;

/** One JSON line that a process wrote to stdout. */
export type LogLine = Record<string, unknown> & { event?: string; msg?: string };

export type RunningProcess = AsyncDisposable & {
  pid: number;
  /** Every JSON line of stdout so far, in order. */
  logs: readonly LogLine[];
  /** Every line so far, of stdout and of stderr. */
  output: readonly string[];
  exited: Promise<ProcessExit>;
  /**
   * The first log line that fits, also one that was written before.
   *
   * @throws Error with the last lines when there is none within `timeoutMs`, or the process ends without one
   */
  waitForLog(fits: (line: LogLine) => boolean, timeoutMs?: number): Promise<LogLine>;
  kill(signal: NodeJS.Signals): void;
  /** Reads its stdout no more, or closes it: see `KeptProcess`. */
  neglectOutput(how: 'unread' | 'closed'): void;
  /**
   * SIGTERM, and waits for the end. So does leaving the scope of `await using`.
   *
   * @throws Error with the last lines when that takes more than 10 s; the process is killed then
   */
  stop(): Promise<ProcessExit>;
};

/**
 * Runs a program of ours with this Node. It sees PATH, HOME and `env`, and nothing else of our environment. It
 * ends with the test file's process at the latest, whatever happens to that.
 *
 * @param entry from the repository's root: `apps/relay/main.ts`
 */
export async function startProcess(entry: string, env: Record<string, string>): Promise<RunningProcess> {
  const logs: LogLine[] = [];
  const output: string[] = [];
  const waiting = new Set<(line: LogLine) => void>();
  const kept = await spawnKept(process.execPath, [entry], {
    cwd: repositoryRoot,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    graceSeconds: stopWithinSeconds,
    output(line, stream) {
      output.push(line);
      const log = stream === 'stdout' && parseLog(line);
      if (!log) return;
      logs.push(log);
      for (const look of waiting) look(log);
    },
  });
  const problem = (what: string) =>
    new Error(`${entry} ${what}. Its last lines:\n${output.slice(-20).join('\n')}`);

  async function waitForLog(fits: (line: LogLine) => boolean, timeoutMs = 30_000): Promise<LogLine> {
    const seen = logs.find(fits);
    if (seen) return seen;
    const found = Promise.withResolvers<LogLine>();
    const look = (line: LogLine) => {
      if (fits(line)) found.resolve(line);
    };
    waiting.add(look);
    const fail = (what: string) => found.reject(problem(what));
    const timer = setTimeout(fail, timeoutMs, `did not log what was waited for within ${timeoutMs} ms`);
    kept.exited.then(({ code, signal }) => {
      fail(`ended (${signal ?? `exit code ${code}`}) without logging what was waited for`);
    });
    try {
      return await found.promise;
    } finally {
      clearTimeout(timer);
      waiting.delete(look);
    }
  }

  async function stop(): Promise<ProcessExit> {
    const { forced, ...exit } = await kept.stop();
    if (forced) throw problem(`did not end within ${stopWithinSeconds} s of SIGTERM and was killed`);
    return exit;
  }

  return {
    pid: kept.pid,
    logs,
    output,
    exited: kept.exited,
    waitForLog,
    kill: kept.kill,
    neglectOutput: kept.neglectOutput,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

function parseLog(line: string): LogLine | null {
  try {
    const value = JSON.parse(line);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
