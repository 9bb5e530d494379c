import type { ReadStream, WriteStream } from 'node:tty';

/** What a command sees of the process: tests put their own in its place. */
export type Surroundings = {
  stdin: Pick<ReadStream, 'isTTY'> & NodeJS.ReadableStream;
  stdout: Pick<WriteStream, 'isTTY' | 'columns' | 'rows'> & NodeJS.WritableStream;
  stderr: Pick<WriteStream, 'isTTY' | 'columns'> & NodeJS.WritableStream;
  environment: NodeJS.ProcessEnv;
  /** Aborted by the first Ctrl-C (or SIGTERM). A second one ends the process at once. */
  interrupted: AbortSignal;
};

export function processSurroundings(): Surroundings {
  const interruption = new AbortController();
  const interrupt = (signal: NodeJS.Signals) => {
    if (interruption.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
    interruption.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  // `outbox list | head` closes the pipe when it has enough: no reason to complain.
  process.stdout.on('error', error => {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0);
    throw error;
  });
  const { stdin, stdout, stderr, env } = process;
  return { stdin, stdout, stderr, environment: env, interrupted: interruption.signal };
}
