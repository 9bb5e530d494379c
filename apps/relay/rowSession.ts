import type { ConnectionOptions } from '@segue/database/connection.ts';
import { steadyPlans } from '@segue/outbox/steadyPlans.ts';

/**
 * The one session of a relay that all statements about rows share, however many batches are under way. It sends each
 * on without waiting for the answer to the one before. Two cores have no use for more: with three sessions the turns
 * go round caches that are cold each time, and batches of 250 went through at 0.85 to 0.9 times the rate.
 *
 * What a statement waits for, all behind it wait for. The disk: of a batch's commits two wait for it
 * (`asynchronousCommit.ts`). Locks: relays keep them for milliseconds, but a person may lock a row in a terminal and go
 * for lunch, so such a statement is broken off, and tried again later.
 */
export const rowSession: Pick<ConnectionOptions, 'max' | 'settings'> = {
  max: 1,
  settings: { ...steadyPlans, lock_timeout: '200ms' },
};
