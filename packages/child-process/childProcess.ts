import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex, Readable } from 'node:stream';

export type ProcessExit = { code: number | null; signal: NodeJS.Signals | null };

export type KeptProcess = {
  /** Of the command itself, not of a shell around it. */
  pid: number;
  /** Fulfilled once the process has ended and its output has been read to the end. Never rejects. */
  exited: Promise<ProcessExit>;
  /** Sends a signal; nothing happens when the process has ended already. */
  kill(signal: NodeJS.Signals): void;
  /**
   * Reads its output no more, so that the pipe fills, or closes the pipe, as whoever takes a log may do. What is left in
   * the pipe is read when the process has ended.
   */
  neglectOutput(how: 'unread' | 'closed'): void;
  /**
   * Asks the process to end and waits until it has. `forced` says that it did not within the grace period and
   * was killed.
   */
  stop(): Promise<ProcessExit & { forced: boolean }>;
};

export type KeptProcessOptions = {
  /** What asks the process to end. Default SIGTERM. */
  signal?: NodeJS.Signals;
  /** Seconds from that signal to SIGKILL. Default 10. */
  graceSeconds?: number;
  /** The whole environment; by default ours. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Run as this user; we must be root. */
  user?: { uid: number; gid: number };
  /** `inherit` shares our stdout and stderr; a function gets every line, without its end. */
  output: 'inherit' | ((line: string, stream: 'stdout' | 'stderr') => void);
  /** A folder that is of no use once the process has ended. If we have died by then, it is removed for us. */
  removeIfOrphaned?: string;
};

/**
 * The shell leaves a watcher behind and becomes the command by exec, so that pid, exit code and signals are
 * the command's own. The watcher reads from a pipe that we hold. A word in it says that we saw the command end.
 * Its end says that we died, by whatever signal, since the kernel closes a dead process's pipes.
 *
 * It is forked twice, so that it is no child of the command: PostgreSQL takes the death of a child that it
 * does not know for a crash and restarts all sessions.
 */
const keeper = `
(
  {
    read -r ended <&3 && exit
    kill -s "$1" $$
    seconds=0
    while kill -0 $$ && [ $seconds -lt "$2" ]; do sleep 1; seconds=$((seconds + 1)); done
    kill -s KILL $$
    [ -z "$3" ] || rm -rf -- "$3"
  } >/dev/null 2>&1 &
)
shift 3
exec "$@" 3<&-
`;

/**
 * Starts a process that ends when we do: by `stop()`, by our exit, and also by our SIGKILL or a crash.
 *
 * It runs in a session of its own. Ctrl-C at a terminal therefore reaches us alone, and we decide in which
 * order our processes stop. Its stdin is empty. Needs a POSIX `/bin/sh`.
 *
 * @throws what the system says when no process can be made. A command that does not exist is no such case:
 *   it exits with code 127, as in a shell, and says so on stderr
 */
export async function spawnKept(
  command: string,
  args: readonly string[],
  {
    signal = 'SIGTERM',
    graceSeconds = 10,
    env,
    cwd,
    user,
    output,
    removeIfOrphaned = '',
  }: KeptProcessOptions,
): Promise<KeptProcess> {
  const stream = output === 'inherit' ? 'inherit' : 'pipe';
  const keeperArgs = [signal.replace('SIG', ''), String(graceSeconds), removeIfOrphaned];
  const child = spawn('/bin/sh', ['-c', keeper, 'keeper', ...keeperArgs, command, ...args], {
    ...user,
    cwd,
    env,
    detached: true,
    // Not stdin for the watcher: Node closes that before we hear of the end and could say a word.
    stdio: ['ignore', stream, stream, 'pipe'],
  });
  const lifeline = child.stdio[3] as Duplex;
  if (output !== 'inherit') {
    readLines(child.stdout, line => output(line, 'stdout'));
    readLines(child.stderr, line => output(line, 'stderr'));
  }
  // The watcher may have gone before it reads the word, when somebody killed it.
  lifeline.on('error', () => undefined).resume();
  child.on('exit', () => {
    lifeline.end('ended\n');
    child.stdout?.resume();
  });
  const exited = new Promise<ProcessExit>(resolve => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  await once(child, 'spawn');

  return {
    pid: child.pid as number,
    exited,
    kill: signal => void child.kill(signal),
    neglectOutput(how) {
      if (how === 'closed') child.stdout?.destroy();
      else child.stdout?.pause();
    },
    async stop() {
      child.kill(signal);
      let forced = false;
      const timer = setTimeout(() => {
        forced = child.kill('SIGKILL');
      }, graceSeconds * 1000);
      const exit = await exited;
      clearTimeout(timer);
      return { ...exit, forced };
    },
  };
}

/** Line by line. Not node:readline, which also ends a line at U+2028, and JSON carries that unescaped. */
function readLines(stream: Readable | null, onLine: (line: string) => void): void {
  let rest = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  });
  stream?.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}
