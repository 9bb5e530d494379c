import type { Queryable } from '@segue/database/connection.ts';
import type { PendingQuery, Row } from 'postgres';

/**
 * A condition, always true, under which the statement's transaction does not wait for the disk at its commit
 * (`synchronous_commit = off`, for this transaction alone). For claims: what they have written is on the disk at the
 * latest with the taking that follows, since PostgreSQL writes its log in order, and nothing is sent before that.
 *
 * A crash of the server, and nothing else, may take commits of its last 0.6 s (three times `wal_writer_delay`). A claim
 * that is gone is as one whose lease has ended: the rows are due again, whoever claims them makes the same events under
 * the same ids (rule R6), and a relay that is still at work on them finds at the settlement that they are not its own.
 *
 * Not for a taking: it must outlive what is sent. A claim that came through the crash without its taking could still be
 * settled, and the next request for the recording would get the same generation, and so an event id that Inngest knows
 * already and drops. `asynchronousCommit.int.test.ts` crashes a server after each step.
 */
export function commitAsynchronously(db: Queryable): PendingQuery<Row[]> {
  return db`(SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL`;
}
