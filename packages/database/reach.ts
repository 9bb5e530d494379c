import { reasonOf } from '@segue/process/reason.ts';
import { within } from '@segue/process/timeLimit.ts';
import type { Sql } from './connection.ts';
import { isOutage } from './outage.ts';

/**
 * Longer than the 5 s that a connection may take to be made. postgres.js tries again for ever where somebody takes
 * connections and hangs up, as a proxy does whose server is away; without this limit so would a start.
 */
const answersWithinMs = 10_000;

/**
 * Makes sure that the database answers.
 *
 * @throws Error as {@link notReached}, after 10 s at the latest
 */
export async function reach(sql: Sql): Promise<void> {
  try {
    await within(answersWithinMs, sql`SELECT 1`, () => noAnswer(answersWithinMs));
  } catch (error) {
    throw notReached(sql, error);
  }
}

/** What a database that does not answer is told as: an outage. */
export function noAnswer(ms: number): Error {
  return Object.assign(new Error(`no answer within ${Math.round(ms / 100) / 10} s`), { code: 'ETIMEDOUT' });
}

/** Says to whoever starts a process which database does not let it in, why, and what to do; never the password. */
export function notReached(sql: Sql, error: unknown): Error {
  const { user, host, port, database } = sql.options;
  const which = `the database of DATABASE_URL (${user}@${host}:${port}/${database})`;
  const what = isOutage(error)
    ? `cannot be reached: ${reasonOf(error)}. Is PostgreSQL running there?`
    : `lets nobody in: ${reasonOf(error)}. Check the user, the password and the name of the database`;
  return new Error(`${which} ${what}`, { cause: error });
}
