/** As Node and PostgreSQL say it. */
type Failure = { code?: string; routine?: string };

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
 * as connections or disk (53), shutdown, crash or start (57P), an error of the disk (58), and a standby that was
 * promoted elsewhere (25006).
 */
const outageSqlState = /^(08...|53...|57P0.|58...|25006)$/;

/** Where PostgreSQL refuses new transaction ids until old ones are vacuumed away. Its code, 54000, has other uses. */
const transactionIdsUsedUp = new Set(['GetNewTransactionId', 'GetNewMultiXactId']);

/** Another transaction was in the way: a failed serialisation, a deadlock, a lock that it kept (`lock_timeout`). */
const conflictSqlState = /^(40001|40P01|55P03)$/;

/** Broken off for the time that it took: by `statement_timeout` or somebody (57014), or in an idle transaction. */
const brokenOffSqlState = /^(57014|25P0[34])$/;

/** Whether the error says that the database is away for now, and not that a statement is wrong. */
export function isOutage(error: unknown): boolean {
  return (
    hasCode(error, code => networkCodes.has(code) || outageSqlState.test(code)) ||
    some(error, ({ code, routine = '' }) => code === '54000' && transactionIdsUsedUp.has(routine))
  );
}

/** Whether the error says that the same statement may succeed when it is run again. */
export function isConflict(error: unknown): boolean {
  return hasCode(error, code => conflictSqlState.test(code));
}

/** Whether the error says that somebody who asks again in a moment may be served: what clients are told. */
export function isTemporary(error: unknown): boolean {
  return isOutage(error) || isConflict(error) || hasCode(error, code => brokenOffSqlState.test(code));
}

/** Whether the error, or one that caused it, has such a code. */
function hasCode(error: unknown, fits: (code: string) => boolean): boolean {
  return some(error, ({ code }) => code !== undefined && fits(code));
}

function some(error: unknown, fits: (error: Failure) => boolean): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (fits(at as Failure)) return true;
  return false;
}
