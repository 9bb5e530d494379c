import { randomUUID } from 'node:crypto';
import { type ConnectionOptions, connect } from '@segue/database/connection.ts';
import { hintChannel, readHint } from '@segue/outbox/hint.ts';
import { pause } from '@segue/process/pause.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Service } from '@segue/process/services.ts';
import type { Logger } from '@segue/telemetry/logger.ts';

/** How often a notification of our own must come back, and how long that may take. Meanwhile the relay polls. */
const echoEveryMs = 30_000;
const echoWithinMs = 3_000;
/** Behind a pooler in transaction mode LISTEN never works; trying for it more often would only cost. */
const longestPauseMs = 5 * 60_000;

export type ListenerOptions = {
  /** Somebody has committed rows. */
  onRows: () => void;
  /** Slots have changed hands, as a relay says. */
  onSlots: (relay: string) => void;
};

/**
 * Listens for hints, and makes sure that it still does: LISTEN dies silently behind a pooler or on a half-open
 * socket (pg-boss#850). Every 30 s a notification of our own must come back, or else the connection is replaced. Meanwhile
 * the relay lives by polling.
 *
 * A connection that is lost and replaced at once is not worth a line of its own: nothing is slower for it.
 *
 * @param database where to listen
 */
export function listener(
  database: Pick<ConnectionOptions, 'url' | 'onLost'>,
  { onRows, onSlots }: ListenerOptions,
  logger: Logger,
): Service {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function run(): Promise<void> {
    let pauseMs = 500;
    let lost = false;
    while (!signal.aborted) {
      let works = false;
      try {
        await listenOnce(() => {
          if (lost) logger.info({ event: 'hints_restored' }, 'LISTEN works again');
          lost = false;
          works = true;
          pauseMs = 500;
        });
      } catch (error) {
        if (!lost && !works) {
          logger.warn({ event: 'hints_lost', error: reasonOf(error) }, 'LISTEN lost; polling');
          lost = true;
        }
      }
      await pause(pauseMs, signal);
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    }
  }

  /** Listens on one connection until the signal ends; throws when the connection is found dead. */
  async function listenOnce(onWorks: () => void): Promise<void> {
    const own = randomUUID();
    let onOwn = () => {};
    const closed = new AbortController();
    const sql = connect({
      ...database,
      applicationName: 'segue-relay-listen',
      max: 1,
      deadlineMs: echoWithinMs,
      onNotify(_channel, payload) {
        if (payload === own) return onOwn();
        const hint = readHint(payload);
        if (hint?.kind === 'rows') onRows();
        if (hint?.kind === 'slots') onSlots(hint.relay);
      },
      // The next connection of the pool would not listen.
      onClose: () => closed.abort(),
    });

    async function notifyOurselves(): Promise<void> {
      const echo = Promise.withResolvers<void>();
      onOwn = echo.resolve;
      const late = setTimeout(() => echo.reject(new Error('LISTEN hears nothing')), echoWithinMs);
      try {
        await Promise.all([echo.promise, sql.notify(hintChannel, own)]);
      } finally {
        clearTimeout(late);
      }
    }

    try {
      await sql`LISTEN ${sql(hintChannel)}`;
      while (!signal.aborted) {
        if (closed.signal.aborted) throw new Error('the connection closed');
        await notifyOurselves();
        onWorks();
        await pause(echoEveryMs, AbortSignal.any([signal, closed.signal]));
      }
    } finally {
      await sql.end({ timeout: 1 });
    }
  }

  let running: Promise<void> | undefined;
  return {
    name: 'listener',
    start() {
      running = run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
