import type { Sql } from '@segue/database/connection.ts';
import { PgBoss } from 'pg-boss';
import type { Peer } from './peer.ts';

export const queue = 'noop';
const chunk = 10_000;

/**
 * pg-boss with what its documentation offers for throughput (pgboss.io/api/workers, /api/queues): large batches,
 * fetched without a pause while they come back full, by several workers, on a table of the queue's own.
 * The numbers are the best of those tried here (batches of 100 to 5,000, 1 to 8 workers).
 */
export const pgBossWork = { batchSize: 2_000, burstWhenBatchFull: true, localConcurrency: 4 };
export const pgBossQueue = { partition: true };
/** What runs beside the workers in production would only cost it time here. */
export const pgBossOptions = { supervise: false, schedule: false };

export const pgBoss: Peer = {
  name: 'pg-boss 12.38.0',
  settings: JSON.stringify({ ...pgBossWork, ...pgBossQueue }),
  process: new URL('pgBossProcess.ts', import.meta.url),
  migrated: false,
  events: 'none',
  async load(_sql, url, jobs) {
    await insertJobs(url, queue, jobs);
    return jobs.length;
  },
  isDrained: sql => hasNoJobs(sql, queue),
};

/** Adds a job for each of the data, in commands of ten thousand. */
export async function insertJobs(url: string, name: string, data: object[]): Promise<void> {
  const boss = new PgBoss({ connectionString: url, ...pgBossOptions, migrate: false });
  await boss.start();
  try {
    for (let start = 0; start < data.length; start += chunk) {
      await boss.insert(
        name,
        data.slice(start, start + chunk).map(each => ({ data: each })),
      );
    }
  } finally {
    await boss.stop();
  }
}

export async function hasNoJobs(sql: Sql, name: string): Promise<boolean> {
  const [{ drained }] = await sql<[{ drained: boolean }]>`
    SELECT NOT EXISTS (SELECT FROM pgboss.job WHERE name = ${name} AND state < 'completed') AS drained`;
  return drained;
}
