import type { Queryable } from '@segue/database/connection.ts';
import { type Action, act, type Selection } from './act.ts';

/** A count that stops at a bound, so that it never takes long. */
export type BoundedCount = { count: number; more: boolean };

/** `1,234`, or `100,000+` where the count stopped, `an unknown number of` where it had found none until then. */
export function sayCount({ count, more }: BoundedCount): string {
  if (count === 0 && more) return 'an unknown number of';
  return `${count.toLocaleString('en')}${more ? '+' : ''}`;
}

/** How many rows an action would change: the database counts, up to a bound. */
export async function countFor(
  db: Queryable,
  action: Action,
  selection: Selection,
  bound = 100_000,
): Promise<BoundedCount> {
  const step = await act(db, action, { selection, reason: 'counting', dryRun: true, atMost: bound });
  return { count: step.rows, more: step.next !== null };
}
