import { isTracing } from '@segue/telemetry/tracing.ts';
import postgres from 'postgres';
import { type Address, readAddress } from './address/address.ts';
import { certificateHash, dial } from './address/dial.ts';
import { Endpoint } from './address/endpoint.ts';
import type { Host } from './address/hosts.ts';
import { traceStatements } from './tracedStatements.ts';

export type Sql = postgres.Sql;
/** A connection, or a transaction on one: what a statement needs. */
export type Queryable = postgres.Sql | postgres.TransactionSql;

export type ConnectionOptions = {
  url: string;
  /** Where our tables are (`DATABASE_SCHEMA`); by default `public`. */
  schema?: string | undefined;
  /** Shown in `pg_stat_activity`. */
  applicationName: string;
  /** Connections at the most. */
  max: number;
  /**
   * A connection that owes an answer for so many ms is destroyed. A second before, the server breaks a statement off
   * (`statement_timeout`), so that only a connection that is silent is lost. 0, the default: it is waited for.
   */
  deadlineMs?: number;
  /** Settings of each session, such as `lock_timeout`. A pooler may refuse them: see `pooler.ts`. */
  settings?: Record<string, string>;
  /** Whether sessions are opened without any settings, for a pooler that refuses them. */
  bare?: boolean;
  /** Whether statements are prepared once a connection; by default they are. */
  prepare?: boolean;
  /** Is told what the server warns of; its mere notices are dropped. */
  onWarning?: (message: string) => void;
  /** Is told, in one line, of connections that were lost to silence or to a server that became read-only. */
  onLost?: (message: string) => void;
  /** Is told of each notification. */
  onNotify?: (channel: string, payload: string) => void;
  /** Is told that a connection has closed. */
  onClose?: () => void;
};

/** What the patch adds to the driver: see `patches/README.md`. */
type PatchedOptions = Omit<postgres.Options<{ bigint: postgres.PostgresType<number> }>, 'connection'> & {
  connection: Record<string, string>;
  statement_deadline: number | null;
  channel_binding: typeof certificateHash | null;
  onerror: (error: { code: string }) => void;
  socket: () => Promise<unknown>;
};

/**
 * How moments are written, whatever the database or the role is set to: some of them are read and compared as
 * text, since a Date would lose their microseconds. Poolers take these two settings, which are a protocol matter.
 */
const writingOfMoments = { DateStyle: 'ISO, MDY', TimeZone: 'UTC' };

/** Of this process, by their URLs. */
const endpoints = new Map<string, Endpoint>();

/**
 * Opens a pool; the first query connects. The pool comes back by itself after an outage of the server.
 *
 * 64-bit ids are read as numbers: an outbox id stays exact up to 2^53, some 28,000 years at 10,000 a second.
 *
 * @throws AddressError for a URL that cannot be followed
 */
export function connect(options: ConnectionOptions): Sql {
  const { url, applicationName, max, deadlineMs = 0, prepare = true, onLost, onWarning } = options;
  const address = readAddress(url);
  const endpoint = endpointOf(url, address);
  const settings: Record<string, string> = {
    ...writingOfMoments,
    ...(options.bare ? {} : sessionSettings(options)),
    application_name: applicationName,
  };
  const sql = open(address, {
    max,
    prepare,
    connection: { ...address.startup, ...settings },
    statement_deadline: deadlineMs / 1_000,
    socket: () => endpoint.open(deadlineMs, onLost),
    onerror({ code }) {
      if (code === '25006') endpoint.leaveReadOnly(onLost);
    },
    onnotice({ severity, message }) {
      if (severity === 'WARNING') onWarning?.(String(message));
    },
    ...(options.onNotify && { onnotify: options.onNotify }),
    ...(options.onClose && { onclose: options.onClose }),
  });
  return isTracing() ? traceStatements(sql) : sql;
}

function sessionSettings({ deadlineMs = 0, schema, settings }: ConnectionOptions): Record<string, string> {
  return {
    ...(deadlineMs > 0 && { statement_timeout: String(Math.max(deadlineMs - 1_000, deadlineMs / 2)) }),
    ...(schema !== undefined && { search_path: quoted(schema) }),
    ...settings,
  };
}

/** The driver with all that an address says, so that it takes nothing from the environment. */
function open(address: Address, options: Partial<PatchedOptions>): Sql {
  const { hosts, user, password, database, channelBinding, keepAlive, connectTimeoutMs } = address;
  const complete = {
    // For its messages: it connects by `socket`. One name, since it tells no failure while there is another.
    host: [hosts.map(({ name }) => name).join(',')],
    port: [hosts.map(({ port }) => port).join(',')] as unknown as number[],
    user,
    pass: password,
    database,
    ssl: false,
    target_session_attrs: null,
    channel_binding: channelBinding ? certificateHash : null,
    keep_alive: keepAlive,
    // For the start of the session, after the socket is open.
    connect_timeout: connectTimeoutMs / 1_000,
    // Reconnect quickly and steadily: the default backs off to 20 s, longer than an addition may wait (R1: 5 s).
    backoff: () => 0.25,
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
    ...options,
  };
  return postgres(complete as unknown as PatchedOptions) as unknown as Sql;
}

function endpointOf(url: string, address: Address): Endpoint {
  const known = endpoints.get(url);
  if (known) return known;
  const made = new Endpoint(address, host => acceptsWrites(address, host));
  endpoints.set(url, made);
  return made;
}

/** @throws what the driver says of a host that does not answer */
async function acceptsWrites(address: Address, host: Host): Promise<boolean> {
  const seconds = address.connectTimeoutMs / 1_000;
  const sql = open(address, {
    max: 1,
    fetch_types: false,
    statement_deadline: seconds,
    socket: () => dial(address, host),
    connection: { ...address.startup, application_name: 'segue-looks-for-the-primary' },
  });
  try {
    const [row] = await sql`SELECT current_setting('transaction_read_only') AS read_only`;
    return row?.read_only === 'off';
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
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
