import type { Peer } from '../peer.ts';
import { hasNoJobs, insertJobs, pgBossQueue } from '../pgBoss.ts';

export const queue = 'ingest';

/** Batches as large as the relay's, and as many at a time. */
export const sendingWork = { batchSize: 1_000, burstWhenBatchFull: true, localConcurrency: 4 };

/** pg-boss with batches: one statement for the ledger, one question to the index and one call a batch. */
export const sendingPgBoss: Peer = {
  name: 'pg-boss, batches of 1,000',
  settings: JSON.stringify({ ...sendingWork, ...pgBossQueue }),
  process: new URL('pgBossProcess.ts', import.meta.url),
  migrated: false,
  events: 'each once',
  async load(_sql, url, requested) {
    await insertJobs(url, queue, requested);
    return requested.length;
  },
  isDrained: sql => hasNoJobs(sql, queue),
};
