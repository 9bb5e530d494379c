import type { Sql } from '@segue/database/connection.ts';
import type { Hands } from '../hands.ts';
import type { Random } from '../random.ts';
import { onFreshConnection } from '../system/database.ts';
import { isrcOf } from '../workload.ts';
import type { Fault, Subject } from './fault.ts';

const salt = (random: Random) => random.between(0, 1_000_000);
/** Recordings of additions, and one that is refused. */
const rightIsrc = (random: Random) =>
  random.chance(0.1) ? 'QZBAD0000001' : isrcOf('QZNEW', random.between(1, 100));

/** A person at a terminal: what the database does not answer is given up. */
function fault(name: string, touch: (hands: Hands, sql: Sql, random: Random) => Promise<unknown>): Fault {
  return {
    name,
    async strike({ database, hands, tally }, random) {
      const wrong = await onFreshConnection(database.url, sql => touch(hands, sql, random)).catch(() => null);
      if (typeof wrong === 'string') tally.problems.push(`rows touched by hand: ${wrong}`);
    },
  };
}

const often: Fault[] = [
  fault('set back to pending', (hands, sql, random) => hands.setBack(sql, salt(random))),
  fault('open rows deleted', (hands, sql, random) => hands.remove(sql, salt(random))),
  fault('ISRC corrected', (hands, sql, random) => hands.correct(sql, salt(random), rightIsrc(random))),
  fault('cancelled by status', (hands, sql, random) =>
    hands.cancel(sql, salt(random), random.oneOf(['skipped', 'dead'] as const)),
  ),
  fault('attempts and moment changed', (hands, sql, random) => {
    const moment = random.oneOf(['-infinity', '2001-01-01Z', 'now', 'now']);
    return hands.postpone(sql, salt(random), random.between(0, 12), moment);
  }),
  fault('pending and settled', (hands, sql, random) => hands.halfSetBack(sql, salt(random))),
];

/** People who mend the queue with SQL. */
export const hands: Subject = {
  name: 'hands',
  everyMs: [1_000, 5_000],
  faults: [
    ...often,
    ...often,
    ...often,
    {
      name: 'table truncated',
      async strike(on) {
        await onFreshConnection(on.database.url, sql => on.hands.truncate(sql)).catch(() => undefined);
        on.forgetDue();
      },
    },
  ],
};
