import { isatty } from 'node:tty';
import { pino } from 'pino';
import { build as prettyPrinter } from 'pino-pretty';
import type { Logger } from './lines.ts';
import { LogWriter, sinkOf } from './logWriter.ts';
import { originFields } from './origin.ts';

export type { Logger };

/** Characters of lines that may wait for whoever takes them: some 130,000 lines, three seconds of a relay at full speed. */
const mayWait = 32 * 1024 * 1024;

/** Fields whose value is a secret, in a logged object or in an object within it. */
const secrets = ['password', 'secret', 'token', 'apiKey', 'authorization', 'clientSecret', 'eventKey'];

/**
 * JSON lines on stdout; at a terminal, lines for people. A line carries the id of the request that caused it.
 *
 * Lines are written without blocking the process: at 30,000 lines a second a blocking write each would be
 * a tenth of a relay's time. Where nobody takes them, 32 MB wait, and more is dropped and counted: the work goes on.
 * {@link flush} writes what is left before the process ends.
 */
export function createLogger(name: string, level: string): Logger {
  const options = {
    name,
    level,
    mixin: originFields,
    redact: secrets.flatMap(field => [field, `*.${field}`]),
  };
  const logger: Logger = isatty(1)
    ? pino(options, prettyPrinter({ ignore: 'pid,hostname', sync: true }))
    : pino(
        options,
        stdoutWriter(dropped => tellDropped(logger, dropped)),
      );
  return logger;
}

/** One for all loggers of the process. */
let writer: LogWriter | undefined;

function stdoutWriter(onRestored: (dropped: number) => void): LogWriter {
  writer ??= new LogWriter(sinkOf(1), mayWait, onRestored);
  return writer;
}

function tellDropped(logger: Logger, dropped: number): void {
  logger.warn(
    { event: 'log_lines_dropped', dropped },
    `${dropped} log lines were dropped, as nobody took them`,
  );
}

/** Lines that this process has dropped, since nobody took them. */
export function droppedLogLines(): number {
  return writer?.dropped ?? 0;
}

/**
 * A logger for lines that have only the fields of the contract, none of which holds a secret: to look for secrets
 * costs 3 µs a line, a tenth of what a relay does for a row.
 */
export function withoutRedaction(logger: Logger): Logger {
  return logger.child({}, { redact: [] });
}

/** Resolves when every line so far is written, or nobody has taken one for a second. */
export function flush(logger: Logger): Promise<void> {
  return new Promise(resolve => logger.flush(() => resolve()));
}
