import { graphileWorkerPreset } from '../graphileWorker.ts';
import type { Peer } from '../peer.ts';

export const task = 'ingest';

/** graphile-worker with a job a recording: a row in a ledger, one question to the index and one call each. */
export const sendingGraphileWorker: Peer = {
  name: 'graphile-worker, a job a recording',
  settings: JSON.stringify(graphileWorkerPreset),
  process: new URL('graphileWorkerProcess.ts', import.meta.url),
  migrated: false,
  events: 'each once',
  /** A job's key is its ISRC. `add_jobs` takes no key twice, so that here the repeats are left out beforehand. */
  async load(sql, _url, requested) {
    const jobs = [...new Map(requested.map(recording => [recording.isrc, recording])).values()];
    await sql`
      SELECT count(*) FROM graphile_worker.add_jobs((
        SELECT array_agg(
          ROW(${task}, payload, NULL, NULL, NULL, payload ->> 'isrc', NULL, NULL)::graphile_worker.job_spec)
        FROM json_array_elements(${JSON.stringify(jobs)}::text::json) AS payload))`;
    return jobs.length;
  },
  async isDrained(sql) {
    const [{ drained }] = await sql<[{ drained: boolean }]>`
      SELECT NOT EXISTS (SELECT FROM graphile_worker._private_jobs) AS drained`;
    return drained;
  },
};
