import { sayDuration } from '../duration.ts';
import { type Check, failure, ok } from './check.ts';

type Holder = { kind: 'transaction' | 'prepared' | 'slot'; who: string; seconds: number };

/**
 * What keeps vacuum from removing dead rows: an old transaction, one that was prepared and forgotten, a replication
 * slot that nobody reads. Dead rows make each claim slower until PostgreSQL stands still.
 */
export const vacuum: Check = {
  name: 'vacuum',
  after: ['database'],
  timeoutMs: 5_000,
  async run({ sql, oldAfterMs }) {
    const holders = await sql<Holder[]>`
      SELECT * FROM (
        SELECT 'transaction' AS kind,
          format('%s of %s, pid %s, %s', coalesce(nullif(application_name, ''), 'a session'), usename, pid, state) AS who,
          extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds
        FROM pg_stat_activity
        WHERE xact_start IS NOT NULL AND datname = current_database()
          AND backend_type = 'client backend' AND pid <> pg_backend_pid()
        UNION ALL
        SELECT 'prepared', format('%s of %s', gid, owner), extract(epoch FROM clock_timestamp() - prepared)::float8
        FROM pg_prepared_xacts WHERE database = current_database()
      ) AS held
      WHERE seconds >= ${oldAfterMs / 1_000}
      UNION ALL
      -- PostgreSQL 15 and 16 do not say since when a slot is idle.
      SELECT 'slot', slot_name || coalesce(
          ', keeps ' || pg_size_pretty(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery()
            THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, restart_lsn)) || ' of WAL', ''), NULL
      FROM pg_replication_slots WHERE NOT active
      ORDER BY seconds DESC NULLS LAST`;
    const [worst] = holders;
    if (!worst)
      return ok(
        `no transaction is older than ${sayDuration(oldAfterMs / 1_000)}, no replication slot is idle`,
      );
    const others = holders.length > 1 ? ` (and ${holders.length - 1} more)` : '';
    switch (worst.kind) {
      case 'transaction':
        return failure(
          `a transaction is open for ${sayDuration(worst.seconds)}: ${worst.who}${others}`,
          'find out what it does, then `SELECT pg_terminate_backend(pid)`',
        );
      case 'prepared':
        return failure(
          `a prepared transaction waits for ${sayDuration(worst.seconds)}: ${worst.who}${others}`,
          "`ROLLBACK PREPARED 'name'` (or COMMIT PREPARED), in the database that it belongs to",
        );
      case 'slot':
        return failure(
          `a replication slot is not read: ${worst.who}${others}`,
          "start its reader, or `SELECT pg_drop_replication_slot('name')`",
        );
    }
  },
};
