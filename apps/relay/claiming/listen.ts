import { randomUUID } from 'node:crypto';
import { connect } from '@segue/database/connection.ts';
import { hintChannel } from '@segue/outbox/hint.ts';
import { pause } from '@segue/process/pause.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/logger.ts';

/** How often the line is tried, and how long the relay's own word may take to come back. */
const checkEveryMs = 15_000;
const echoWithinMs = 3_000;
/** Behind a pooler in transaction mode LISTEN never works; trying for it more often would only cost. */
const longestPauseMs = 5 * 60_000;

/**
 * Listens for hints, and makes sure that it still does: LISTEN dies silently behind a pooler or on a half-open
 * socket (pg-boss#850). Every 15 s the relay sends itself a word; when it does not come back, the connection
 * is replaced. Meanwhile the relay lives by polling.
 *
 * @returns a function that ends the listening
 */
export function listen(url: string, onHint: () => void, logger: Logger): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function run(): Promise<void> {
    let pauseMs = 500;
    let silent = false;
    while (!signal.aborted) {
      try {
        await listenOnce(() => {
          if (silent) logger.info({ event: 'hints_restored' }, 'LISTEN works again');
          silent = false;
          pauseMs = 500;
        });
      } catch (error) {
        if (!silent) logger.warn({ event: 'hints_lost', error: reasonOf(error) }, 'LISTEN lost; polling');
        silent = true;
      }
      await pause(pauseMs, signal);
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    }
  }

  /** Listens on one connection until the signal ends; throws when the line is found dead. */
  async function listenOnce(onAlive: () => void): Promise<void> {
    const sql = connect({ url, applicationName: 'segue-relay-listen', max: 1 });
    const own = randomUUID();
    let heard: (() => void) | undefined;
    try {
      await sql.listen(hintChannel, payload => {
        if (payload === own) heard?.();
        else if (payload === '') onHint();
      });
      while (!signal.aborted) {
        const echo = Promise.withResolvers<void>();
        heard = echo.resolve;
        const late = setTimeout(() => echo.reject(new Error('LISTEN hears nothing')), echoWithinMs);
        try {
          await Promise.all([echo.promise, sql.notify(hintChannel, own)]);
        } finally {
          clearTimeout(late);
        }
        onAlive();
        await pause(checkEveryMs, signal);
      }
    } finally {
      await sql.end({ timeout: 1 });
    }
  }

  const running = run();
  return async () => {
    stopping.abort();
    await running;
  };
}
