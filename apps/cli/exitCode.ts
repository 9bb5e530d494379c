/** What a shell reads of a command. */
export const exitCode = {
  done: 0,
  failed: 1,
  /** The command line itself was wrong. */
  usage: 2,
  /** `status` and `doctor` found something that needs a person. */
  found: 10,
  /** Ctrl-C, as shells count it: 128 + SIGINT. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** A command that cannot do what it was asked. The message says why, and what to do. */
export class Failure extends Error {
  override name = 'Failure';
}

/** A command line that makes no sense, found after commander has read it. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** The person pressed Ctrl-C. What was done until then stays done. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}
