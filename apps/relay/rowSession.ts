import type { ConnectionOptions } from '@segue/database/connection.ts';
import { steadyPlans } from '@segue/outbox/steadyPlans.ts';

/**
 * The one session of a relay that all statements about rows share, however many batches are under way. It sends each
 * on without waiting for the answer to the one before. Two cores have no use for more: with three sessions the turns
 * go round caches that are cold each time, and batches of 250 went through at 0.85 to 0.9 times the rate. A disk that takes
 * 5 ms is no reason either: of a batch's commits only the settlement's waits for it (`asynchronousCommit.ts`), and
 * one session did as many rows with it as three whose commits all waited.
 *
 * What a statement waits for, all behind it wait for. Relays lock rows for milliseconds, but a person may lock one
 * in a terminal and go for lunch: such a statement is broken off, and tried again later.
 */
export const rowSession: Pick<ConnectionOptions, 'max' | 'settings'> = {
  max: 1,
  settings: { ...steadyPlans, lock_timeout: '200ms' },
};
