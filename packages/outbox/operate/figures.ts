import type { Queryable } from '@segue/database/connection.ts';
import { openRows } from './openRows.ts';

/** Rows that are counted one by one, of the open and of the dead. */
const counted = 5_000;

/** How the outbox stands, for graphs and alerts. Reading it costs the same whatever the number of rows. */
export type OutboxFigures = {
  /** Exact up to 5,000 open rows and 5,000 dead ones; estimated beyond, and no more than 5,000 dead ones told. */
  rows: {
    /** A relay may take them now. */
    due: number;
    /** They wait for a later attempt, or are in the hand of a relay. */
    waiting: number;
    dead: number;
  };
  /** Age of the oldest open row in seconds; 0 when there is none. */
  oldestSeconds: number;
  /** Since the oldest of the rows that are due became due, in seconds; 0 when there is none. */
  oldestDueSeconds: number;
};

/** Reads the figures: up to 5,000 open rows one by one, and a sample of what is beyond. */
export async function readOutboxFigures(db: Queryable): Promise<OutboxFigures> {
  const [figures] = await db<[OutboxFigures]>`
    WITH ${openRows(db, counted)},
    dead AS (SELECT FROM ingestion_outbox WHERE status = 'dead' LIMIT ${counted})
    SELECT
      json_build_object(
        'due', coalesce(sum(stands_for) FILTER (WHERE available_at <= now()), 0),
        'waiting', coalesce(sum(stands_for) FILTER (WHERE available_at > now()), 0),
        'dead', (SELECT count(*) FROM dead)) AS rows,
      coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS "oldestSeconds",
      coalesce(extract(epoch FROM now() - min(greatest(created_at, available_at))
        FILTER (WHERE available_at <= now())), 0)::float8 AS "oldestDueSeconds"
    FROM open`;
  return figures;
}

/** Who works on the outbox, and what is in the way of it. */
export type StateFigures = {
  /** The database's clock, in ms since 1970. */
  nowMs: number;
  paused: boolean;
  /** Relays that gave a sign of life within 30 s. */
  relays: { running: number; held_back: number };
  /** Slots that a relay owns, and others. */
  slots: { owned: number; unowned: number };
  /** Age of the oldest transaction in seconds. Of other users' sessions only `pg_read_all_stats` lets us see it. */
  oldestTransactionSeconds: { session: number; prepared: number };
  /** How many transactions ago the oldest began that vacuum keeps dead rows for, by who holds it. */
  horizonTransactions: { session: number; prepared: number; slot: number };
};

/** Reads a few short tables, and none that grows with the outbox. */
export async function readStateFigures(db: Queryable): Promise<StateFigures> {
  const [figures] = await db<[StateFigures]>`
    WITH sessions AS (
      SELECT max(extract(epoch FROM clock_timestamp() - xact_start)) AS seconds, max(age(backend_xmin)) AS transactions
      FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    ),
    prepared AS (
      SELECT max(extract(epoch FROM clock_timestamp() - prepared)) AS seconds, max(age(transaction)) AS transactions
      FROM pg_prepared_xacts WHERE database = current_database()
    ),
    slots AS (SELECT max(greatest(age(xmin), age(catalog_xmin))) AS transactions FROM pg_replication_slots)
    SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS "nowMs",
      EXISTS (SELECT FROM relay_control WHERE paused_at IS NOT NULL) AS paused,
      (SELECT json_build_object('running', count(*) FILTER (WHERE state = 'running'),
          'held_back', count(*) FILTER (WHERE state = 'held_back'))
        FROM relays WHERE last_heartbeat > now() - interval '30 seconds') AS relays,
      (SELECT json_build_object('owned', count(*) FILTER (WHERE owner IS NOT NULL AND lease_end > now()),
          'unowned', count(*) FILTER (WHERE owner IS NULL OR lease_end <= now()))
        FROM relay_slots) AS slots,
      json_build_object('session', coalesce(sessions.seconds, 0), 'prepared', coalesce(prepared.seconds, 0))
        AS "oldestTransactionSeconds",
      json_build_object('session', coalesce(sessions.transactions, 0),
        'prepared', coalesce(prepared.transactions, 0), 'slot', coalesce(slots.transactions, 0)) AS "horizonTransactions"
    FROM sessions, prepared, slots`;
  return figures;
}
