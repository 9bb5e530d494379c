import { PassThrough } from 'node:stream';
import { runCommandLine } from '../commandLine.ts';
import type { Surroundings } from '../surroundings.ts';

/** A run of a command with its own stdin, stdout and stderr. */
export type CommandRun = {
  code: number;
  stdout: string;
  stderr: string;
  /** stdout as the JSON document that it is. */
  document: () => unknown;
};

export type RunOptions = {
  environment?: Record<string, string>;
  /** What the person types; given, stdin and stderr are a terminal. */
  typed?: string;
  /** Whether stdout is a terminal, and how wide. */
  columns?: number;
  interrupted?: AbortSignal;
  /** Told of each text on stdout, and on stderr, when it comes. */
  onStdout?: (text: string) => void;
  onStderr?: (text: string) => void;
};

/** Runs a command in this process, as `npm run outbox -- <args>` runs it in its own. */
export async function outbox(args: readonly string[], options: RunOptions = {}): Promise<CommandRun> {
  const { environment = {}, typed, columns, interrupted = new AbortController().signal } = options;
  const told = { stdout: options.onStdout, stderr: options.onStderr };
  const texts = { stdout: '', stderr: '' };
  const written = (name: 'stdout' | 'stderr', isTTY: boolean) => {
    const stream = Object.assign(new PassThrough(), { isTTY, columns: columns ?? 100, rows: 30 });
    stream.on('data', chunk => {
      texts[name] += chunk;
      told[name]?.(String(chunk));
    });
    return stream;
  };
  const terminal = typed !== undefined;
  const stdin = Object.assign(new PassThrough(), { isTTY: terminal });
  stdin.end(typed ?? '');
  const surroundings = {
    stdin,
    stdout: written('stdout', columns !== undefined),
    stderr: written('stderr', terminal),
    environment,
    interrupted,
  } as unknown as Surroundings;
  const code = await runCommandLine(args, surroundings);
  return { code, ...texts, document: () => JSON.parse(texts.stdout) };
}
