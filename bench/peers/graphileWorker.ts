import type { Peer } from './peer.ts';

/**
 * graphile-worker with what its page on performance calls optimal (worker.graphile.org/docs/performance, "Quick
 * stats"): 24 jobs at a time on 25 connections, a local queue of 500, batched completion without delay.
 */
export const graphileWorkerPreset = {
  concurrentJobs: 24,
  maxPoolSize: 25,
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};

export const graphileWorker: Peer = {
  name: 'graphile-worker 0.18.0',
  settings: JSON.stringify(graphileWorkerPreset),
  process: new URL('graphileWorkerProcess.ts', import.meta.url),
  migrated: false,
  events: 'none',
  async load(sql, _url, jobs) {
    await sql`
      SELECT count(*) FROM graphile_worker.add_jobs((
        SELECT array_agg(ROW('noop', payload, NULL, NULL, NULL, NULL, NULL, NULL)::graphile_worker.job_spec)
        FROM json_array_elements(${JSON.stringify(jobs)}::text::json) AS payload))`;
    return jobs.length;
  },
  async isDrained(sql) {
    const [{ drained }] = await sql<[{ drained: boolean }]>`
      SELECT NOT EXISTS (SELECT FROM graphile_worker._private_jobs) AS drained`;
    return drained;
  },
};
