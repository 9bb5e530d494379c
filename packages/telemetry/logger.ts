import { isatty } from 'node:tty';
import { destination, pino } from 'pino';
import { build as prettyPrinter } from 'pino-pretty';
import type { Logger } from './lines.ts';

export type { Logger };

/** Fields whose value is a secret, in a logged object or in an object within it. */
const secrets = ['password', 'secret', 'token', 'apiKey', 'authorization', 'clientSecret', 'eventKey'];

/**
 * JSON lines on stdout; at a terminal, lines for people.
 *
 * Lines are written without blocking the process: at 30,000 lines a second a blocking write each would be
 * a tenth of a relay's time. {@link flush} writes what is left before the process ends.
 */
export function createLogger(name: string, level: string): Logger {
  const options = {
    name,
    level,
    redact: secrets.flatMap(field => [field, `*.${field}`]),
  };
  // Not process.stdout.isTTY: whoever looks at process.stdout makes the descriptor non-blocking, and sonic-boom
  // waits 100 ms each time that a pipe is full.
  const stream = isatty(1) ? prettyPrinter({ ignore: 'pid,hostname', sync: true }) : new GatheredLines();
  return pino(options, stream);
}

/**
 * A logger for lines that have only the fields of the contract, none of which holds a secret: to look for secrets
 * costs 3 µs a line, a tenth of what a relay does for a row.
 */
export function withoutRedaction(logger: Logger): Logger {
  return logger.child({}, { redact: [] });
}

/** Lines wait so long for others. */
const gatherMs = 10;
/** Characters that do not wait: some 300 lines. */
const enough = 65_536;

/**
 * Hands lines to stdout in larger pieces. A write for each line cost the API 75 us of every addition, more than
 * its row in the outbox did. Given line by line, sonic-boom also measures what it holds at each, and writes
 * 16 KiB a turn: a relay's lines lagged a second behind, and cost a tenth of its time.
 */
class GatheredLines {
  // With a minLength of 0 sonic-boom's flush does not wait for the write that is under way.
  #stdout = destination({ dest: 1, sync: false, minLength: 1 });
  #lines = '';
  #timer: NodeJS.Timeout | undefined;

  write(line: string): void {
    this.#timer ??= setTimeout(() => this.#hand(), gatherMs);
    this.#lines += line;
    if (this.#lines.length >= enough) this.#hand();
  }

  flush(done: () => void): void {
    this.#hand();
    this.#stdout.flush(done);
  }

  #hand(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines !== '') this.#stdout.write(this.#lines);
    this.#lines = '';
  }
}

/** Resolves when every line so far is written. */
export function flush(logger: Logger): Promise<void> {
  return new Promise(resolve => logger.flush(() => resolve()));
}
