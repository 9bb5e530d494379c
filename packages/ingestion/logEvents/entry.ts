/** Who writes a line; `every process` where it comes from packages/process. */
export type LoggedBy = 'api' | 'relay' | 'worker' | 'migrate' | 'stand-in' | 'every process';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export type LogEventEntry = {
  /** The levels that the line comes at. The type of the logger allows no other. */
  levels: readonly LogLevel[];
  by: readonly LoggedBy[];
  /** What has happened. */
  when: string;
  /** What somebody who reads the line should do. */
  action: string;
};
