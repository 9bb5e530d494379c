import type { Queryable } from '@segue/database/connection.ts';
import type { PendingQuery, Row } from 'postgres';

/**
 * A condition, always true, under which the statement's transaction does not wait for the disk at its commit
 * (`synchronous_commit = off`, for this transaction alone). For the claim and the ledger: of a batch's commits only
 * the settlement's waits, and what it finds on the disk before itself is all that went before, since PostgreSQL writes
 * its log in order. Batches of 250 go through 1.1 times as fast by that with a disk that answers in 0.1 ms, and twice
 * as fast with one that takes 5.
 *
 * Nothing hangs on these commits. When the server crashes, and only then, those of its last 0.6 s may be gone (three
 * times `wal_writer_delay`). Then the rows are due again, as if their lease had ended, and the ledger is what it was:
 * whoever claims them takes the same generation, and sends the same event under the same id (rule R6). A relay that is
 * still at work on them finds at the settlement that they are not its own. `asynchronousCommit.int.test.ts` crashes a
 * server.
 *
 * Not for what nobody would do again: an addition, a settlement.
 */
export function commitAsynchronously(db: Queryable): PendingQuery<Row[]> {
  return db`(SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL`;
}
