import { setTimeout as wait } from 'node:timers/promises';
import { reasonOf } from '@segue/process/reason.ts';
import { within } from '@segue/process/timeLimit.ts';
import type { Sql } from './connection.ts';
import { isOutage } from './outage.ts';

/** What is started at the same time may take a moment. */
const patienceMs = 5_000;
const betweenTriesMs = 250;

/**
 * Waits for the database to answer, 5 s at the most.
 *
 * @throws Error which says which database does not answer or lets nobody in, why, and what to do
 */
export async function reach(sql: Sql): Promise<void> {
  try {
    await within(patienceMs, firstAnswer(sql), () => noAnswer(patienceMs));
  } catch (error) {
    throw notReached(sql, error);
  }
}

/**
 * Makes sure that the database answers. postgres.js bounds the time to connect, not the time to answer, and tries
 * again for ever where somebody takes connections and hangs up, as a proxy does whose server is away.
 *
 * @throws Error when it does not, within that time; what PostgreSQL says when it refuses
 */
export async function answers(sql: Sql, withinMs: number): Promise<void> {
  await within(withinMs, sql`SELECT 1`, () => noAnswer(withinMs));
}

/** @throws what the last try has met, when a further one would come too late or change nothing */
async function firstAnswer(sql: Sql): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      await sql`SELECT 1`;
      return;
    } catch (error) {
      if (!isOutage(error) || performance.now() + betweenTriesMs > deadline) throw error;
      await wait(betweenTriesMs);
    }
  }
}

/** What a database that does not answer is told as: an outage. */
function noAnswer(ms: number): Error {
  return Object.assign(new Error(`no answer within ${ms / 1_000} s`), { code: 'ETIMEDOUT' });
}

/** For whoever starts a process; never with the password. */
function notReached(sql: Sql, error: unknown): Error {
  const { user, host, port, database } = sql.options;
  const which = `the database of DATABASE_URL (${user}@${host}:${port}/${database})`;
  const what = isOutage(error)
    ? `cannot be reached: ${reasonOf(error)}. Is PostgreSQL running there?`
    : `lets nobody in: ${reasonOf(error)}. Check the user, the password and the name of the database`;
  return new Error(`${which} ${what}`, { cause: error });
}
