import { within } from '@segue/process/timeLimit.ts';
import type { Sql } from './connection.ts';

/** How long an answer holds, and how long a statement may wait for locks. */
const holdsMs = 1_000;
const lockTimeoutMs = 1_000;
/** An orchestrator gives a probe a few seconds in all. */
const answerWithinMs = 2_500;

/** What a process needs to be able to write. */
export type Readiness = {
  /** @throws Error saying why nothing can be written; its code is that of PostgreSQL or of the network */
  check(): Promise<void>;
};

/**
 * Finds out whether rows of these tables could be written, without writing one: the server accepts writes, has
 * transaction ids left, and nobody has locked the tables. It is asked once a second at the most, however often `check`
 * is called; each asking uses one transaction id.
 *
 * @param tables whose rows the role may change
 */
export function createReadiness(sql: Sql, tables: readonly string[]): Readiness {
  let asked: Promise<void> | undefined;

  async function ask(): Promise<void> {
    // One round trip: several statements are one transaction. A standby takes the lock, and has no word of its own for
    // a transaction id.
    const answer = sql.unsafe(`
      SET LOCAL lock_timeout = ${lockTimeoutMs};
      LOCK TABLE ${tables.join(', ')} IN ROW EXCLUSIVE MODE;
      DO $$ BEGIN
        IF current_setting('transaction_read_only') = 'on' THEN
          RAISE read_only_sql_transaction USING MESSAGE = 'the server is read-only';
        END IF;
      END $$;
      SELECT pg_current_xact_id();
    `);
    const late = () =>
      Object.assign(new Error(`no answer within ${answerWithinMs / 1_000} s`), { code: 'ETIMEDOUT' });
    await within(answerWithinMs, answer, late);
  }

  return {
    check() {
      if (!asked) {
        asked = ask();
        const forget = () => setTimeout(() => (asked = undefined), holdsMs).unref();
        asked.then(forget, forget);
      }
      return asked;
    },
  };
}
