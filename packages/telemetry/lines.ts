import type { LogLevel } from '@segue/ingestion/logEvents/entry.ts';
import type { LogEvent, LogFields, logEvents } from '@segue/ingestion/logEvents.ts';
import type { ChildLoggerOptions, Logger as PinoLogger } from 'pino';

/** The events that may come at a level. */
export type EventAt<Level extends LogLevel> = {
  [Event in LogEvent]: Level extends (typeof logEvents)[Event]['levels'][number] ? Event : never;
}[LogEvent];

/** What a line says: its event, the shared fields that apply, and others of its own. */
export type LogLine<Level extends LogLevel> = Omit<LogFields, 'event'> & {
  event: EventAt<Level>;
  [field: string]: unknown;
};

/**
 * pino's logger, with lines that carry an event of the map in packages/ingestion/logEvents.ts at one of its levels.
 * Anything else does not compile.
 */
export type Logger = Pick<PinoLogger, 'level' | 'flush'> & {
  [Level in LogLevel]: (line: LogLine<Level>, message?: string) => void;
} & {
  child(bindings: Record<string, unknown>, options?: ChildLoggerOptions): Logger;
};
