import type { ConnectionOptions, Sql } from '@segue/database/connection.ts';
import { steadyPlans } from '@segue/outbox/plannerSettings.ts';

/**
 * The two sessions of a relay that all statements about rows share, however many batches are under way. Each sends a
 * statement on without waiting for the answer to the one before. More have no use on two cores: the turns go round
 * caches that are cold each time, and with three sessions for everything batches of 250 went through at 0.8 times the
 * rate. A single one is as fast with a quick disk, and waits for a slow one: with 5 ms a commit, batches of 250 went
 * through at 0.7 times the rate, as takings and settlements both wait for the disk, and all behind them.
 */
export type RowSessions = {
  /** For claims and takings. */
  claiming: Sql;
  /** For settlements, and for what is handed back. */
  settling: Sql;
};

/**
 * How each is opened. Relays lock rows for milliseconds, but a person may lock one in a terminal and go for lunch: such
 * a statement is broken off, and tried again later, so that those behind it go on.
 */
export const rowSession: Pick<ConnectionOptions, 'max' | 'settings'> = {
  max: 1,
  settings: { ...steadyPlans, lock_timeout: '200ms' },
};

/** Waits a second for what is under way. */
export async function endRowSessions({ claiming, settling }: RowSessions): Promise<void> {
  await Promise.all([claiming.end({ timeout: 1 }), settling.end({ timeout: 1 })]);
}
