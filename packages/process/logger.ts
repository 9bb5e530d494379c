import { isatty } from 'node:tty';
import { destination, type Logger, pino } from 'pino';
import { build as prettyPrinter } from 'pino-pretty';

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
 * Hands the lines of one turn of the event loop to stdout in one piece: a relay's batch is 500 of them. Line
 * by line, sonic-boom measures what it holds at each, and writes 16 KiB a turn: under load its lines lagged
 * a second behind, and cost a tenth of a relay's time.
 */
class GatheredLines {
  // With a minLength of 0 sonic-boom's flush does not wait for the write that is under way.
  #stdout = destination({ dest: 1, sync: false, minLength: 1 });
  #lines = '';

  write(line: string): void {
    if (this.#lines === '') setImmediate(() => this.#hand());
    this.#lines += line;
  }

  flush(done: () => void): void {
    this.#hand();
    this.#stdout.flush(done);
  }

  #hand(): void {
    if (this.#lines !== '') this.#stdout.write(this.#lines);
    this.#lines = '';
  }
}

/** Resolves when every line so far is written. */
export function flush(logger: Logger): Promise<void> {
  return new Promise(resolve => logger.flush(() => resolve()));
}
