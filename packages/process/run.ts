import { createLogger, flush, type Logger } from '@segue/telemetry/logger.ts';
import { ConfigurationError } from './environment.ts';
import { handleSignals, heardSignals } from './firstSignal.ts';
import { reasonOf } from './reason.ts';

/** What a started process is to whoever ends it. */
export type Running = { logger: Logger; stop: () => Promise<void> };

/** Longer than any work in hand may take to be settled or handed back. */
const stopWithinMs = 10_000;

/**
 * A signal that comes again so soon is the same one: Ctrl-C at a terminal reaches npm and us, and npm passes
 * its own on to us.
 */
const echoMs = 200;

/**
 * Starts a process and ends it cleanly: SIGTERM and SIGINT call `stop` and exit 0; a second signal ends it at
 * once; a start that fails says why in one line and exits 1.
 *
 * @param start resolves when the process is ready to work. It takes nothing in hand before, so that a signal
 * until then ends the process with 0, however long the start would have waited for a database.
 */
export async function run(name: string, start: () => Promise<Running>): Promise<void> {
  let stoppingSince: number | undefined;
  let running: Running | undefined;

  const end = async (code: number, logger = running?.logger) => {
    if (logger) await flush(logger);
    process.exit(code);
  };

  const stop = async (signal: NodeJS.Signals) => {
    if (stoppingSince !== undefined && performance.now() - stoppingSince < echoMs) return;
    if (stoppingSince !== undefined) return process.exit(signal === 'SIGINT' ? 130 : 143);
    if (!running) return process.exit(0);
    stoppingSince = performance.now();
    const { logger } = running;
    logger.info({ event: 'process_stopping', signal }, 'stopping');
    const overdue = setTimeout(() => {
      logger.error(
        { event: 'process_stop_failed' },
        `not stopped within ${stopWithinMs} ms; what is in hand is left to its lease`,
      );
      void end(1);
    }, stopWithinMs);
    try {
      await running.stop();
      clearTimeout(overdue);
      logger.info({ event: 'process_stopped' }, 'stopped');
      await end(0);
    } catch (error) {
      logger.error({ event: 'process_stop_failed', error: reasonOf(error) }, 'not stopped cleanly');
      await end(1);
    }
  };
  handleSignals(signal => void stop(signal));
  await heardSignals();

  const crash = (error: unknown) => {
    const logger = running?.logger ?? createLogger(name, 'fatal');
    logger.fatal(
      {
        event: 'process_crashed',
        error: reasonOf(error),
        stack: error instanceof Error ? error.stack : undefined,
      },
      'crashed',
    );
    void end(1, logger);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);

  try {
    running = await start();
  } catch (error) {
    const logger = createLogger(name, 'fatal');
    const what = error instanceof ConfigurationError ? 'wrong configuration' : 'not started';
    logger.fatal({ event: 'process_not_started', error: reasonOf(error) }, `${what}: ${reasonOf(error)}`);
    await end(1, logger);
  }
}
