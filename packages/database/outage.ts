/** What Node says of a connection that cannot be made or breaks. */
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  // What postgres.js says of the same.
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
]);

/**
 * What PostgreSQL says when it is there and cannot serve: connection failure (08), insufficient resources such
 * as connections or disk (53), shutdown, crash or start (57P), and a standby that was promoted elsewhere (25006).
 */
const outageSqlState = /^(08...|53...|57P0.|25006)$/;

/** Another transaction was in the way: a failed serialisation, a deadlock, a lock that it kept (`lock_timeout`). */
const conflictSqlState = /^(40001|40P01|55P03)$/;

/** Whether the error says that the database is away for now, and not that a statement is wrong. */
export function isOutage(error: unknown): boolean {
  return hasCode(error, code => networkCodes.has(code) || outageSqlState.test(code));
}

/** Whether the error says that the same statement may succeed when it is run again. */
export function isConflict(error: unknown): boolean {
  return hasCode(error, code => conflictSqlState.test(code));
}

/** Whether the error, or one that caused it, has such a code. */
function hasCode(error: unknown, fits: (code: string) => boolean): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    if (code !== undefined && fits(code)) return true;
  }
  return false;
}
