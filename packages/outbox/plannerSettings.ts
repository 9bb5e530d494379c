/**
 * Session settings for a relay. Each of its statements has one good plan, by index and row by row, on an empty
 * table and on ten million rows; these settings keep the planner from finding another. (Sorting stays allowed:
 * without it, the planner walked a whole index to get 500 rows in order.)
 *
 * Left alone it does: without statistics, as after a bulk load, a claim of 500 rows reads and sorts all open
 * ones, and a plan that was made while the outbox was small goes on to read a large one from end to end, until
 * the next ANALYZE. `plans.int.test.ts` has both.
 */
export const plannerSettings = {
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  // Before PostgreSQL 18 a plan that has to use what is off costs 10^10 more, and a server with JIT compiles whatever
  // costs more than 10^5, at each execution: a read of no rows took 1.2 s.
  jit: 'off',
};
