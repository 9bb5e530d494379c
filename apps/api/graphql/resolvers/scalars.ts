// By its file, as mercurius requires it: bundlers and vitest take 'graphql' for its other copy, `index.mjs`.
import { GraphQLError, Kind, type ValueNode } from 'graphql/index.js';

/**
 * How the schema's scalars are read and written.
 *
 * GraphQL's own reading of an `ID` takes a JSON number beyond 2^53 as JSON.parse has rounded it: another track would
 * be added than the one that was asked for. Such a number is read as a text that is no id of anything, so that it is
 * refused like any other malformed id, in a bulk addition by itself.
 */
export const scalars = {
  DateTime: {
    serialize: (moment: unknown) => (moment as Date).toISOString(),
    parseValue: readMoment,
    // Its default keeps the reading of values that the scalar was made with.
    parseLiteral: (node: ValueNode) => readMoment(node.kind === Kind.STRING ? node.value : null),
  },
  ID: { parseValue: readId },
};

/** RFC 3339, as the scalar's specification has it. */
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function readMoment(value: unknown): Date {
  const isMoment = typeof value === 'string' && moment.test(value) && isOnClock(value);
  const date = new Date(isMoment ? value : Number.NaN);
  const year = date.getUTCFullYear();
  // PostgreSQL has no year 0, and reads no ISO text of a Date beyond 9999. An offset can lead there.
  if (!(year >= 1 && year <= 9_999)) {
    throw new GraphQLError('DateTime must be a moment such as "2025-11-23T12:34:56.789Z"');
  }
  return date;
}

/** Whether the day and the time exist: a Date reads February 30 as March 2, and 24:00 as the next day. */
function isOnClock(text: string): boolean {
  const wall = text.slice(0, 'YYYY-MM-DDThh:mm:ss'.length);
  const date = new Date(`${wall}Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(wall);
}

function readId(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Number.isInteger(value)) throw new GraphQLError(`ID cannot represent value: ${JSON.stringify(value)}`);
  return Number.isSafeInteger(value) ? String(value) : `${value} (rounded)`;
}
