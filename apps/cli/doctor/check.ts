import type { Sql } from '@segue/database/connection.ts';

/** What a check found. */
export type Finding = {
  state: 'ok' | 'warning' | 'failure' | 'skipped';
  /** One line: what is, with the figure. */
  summary: string;
  /** What mends it: a command, a statement, or where to look. */
  remedy?: string;
};

export type CheckContext = {
  environment: NodeJS.ProcessEnv;
  /** Of the database; a check that uses it stands `after` the check `database`. */
  url: string;
  sql: Sql;
  /** Aborted when the check's time is up, or at Ctrl-C. */
  signal: AbortSignal;
  /** This machine's clock, in ms. */
  now: () => number;
  /** From when on a transaction, or an unsettled row, counts as old. */
  oldAfterMs: number;
};

/** One thing that `doctor` looks at, a file each. */
export type Check = {
  /** For `--only`. */
  name: string;
  /** Checks without which this one makes no sense. */
  after: readonly string[];
  timeoutMs: number;
  /** What a check throws is a failure, told in its words. */
  run: (context: CheckContext) => Promise<Finding>;
};

/** Why a server gave no answer: of `fetch failed` the cause. */
export function whyNoAnswer(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
}

export const ok = (summary: string): Finding => ({ state: 'ok', summary });
export const skipped = (summary: string): Finding => ({ state: 'skipped', summary });
export const warning = (summary: string, remedy: string): Finding => ({ state: 'warning', summary, remedy });
export const failure = (summary: string, remedy: string): Finding => ({ state: 'failure', summary, remedy });
