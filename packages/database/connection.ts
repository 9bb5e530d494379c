import postgres from 'postgres';

export type Sql = postgres.Sql;
/** A connection, or a transaction on one: what a statement needs. */
export type Queryable = postgres.Sql | postgres.TransactionSql;

export type ConnectionOptions = {
  url: string;
  /** Shown in `pg_stat_activity`. */
  applicationName: string;
  /** Connections at the most. */
  max: number;
  /** Settings of each session, such as `statement_timeout`. A pooler may refuse them: see `pooler.ts`. */
  settings?: Record<string, string>;
  /** Whether statements are prepared once a connection; by default they are. */
  prepare?: boolean;
  /** Is told what the server warns of; its mere notices are dropped. */
  onWarning?: (message: string) => void;
};

/**
 * How moments are written, whatever the database or the role is set to: some of them are read and compared as
 * text, since a Date would lose their microseconds. Poolers take these two settings, which are a protocol matter.
 */
const writingOfMoments = { DateStyle: 'ISO, MDY', TimeZone: 'UTC' };

/**
 * Opens a pool; the first query connects. The pool comes back by itself after an outage of the server.
 *
 * 64-bit ids are read as numbers: an outbox id stays exact up to 2^53, some 28,000 years at 10,000 a second.
 */
export function connect(options: ConnectionOptions): Sql {
  const { url, applicationName, max, settings, prepare = true, onWarning } = options;
  return postgres(url, {
    max,
    prepare,
    connection: { ...writingOfMoments, ...settings, application_name: applicationName },
    // A server that neither answers nor refuses must not hold a request for postgres.js's 30 s.
    connect_timeout: 5,
    // Reconnect quickly and steadily: the default backs off to 20 s, longer than an addition may wait (R1: 5 s).
    backoff: () => 0.25,
    onnotice({ severity, message }) {
      if (severity === 'WARNING') onWarning?.(String(message));
    },
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
  }) as unknown as Sql;
}

/**
 * Hands on a pool that passes a check; one that does not is closed, so that no connection is left behind.
 *
 * @throws what the check throws
 */
export async function checked(sql: Sql, check: (sql: Sql) => Promise<void>): Promise<Sql> {
  try {
    await check(sql);
    return sql;
  } catch (error) {
    await sql.end({ timeout: 1 });
    throw error;
  }
}
