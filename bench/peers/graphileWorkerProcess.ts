import { workGraphileJobs } from './graphileWorkerJobs.ts';

/** The process behind `graphileWorker.ts`: does nothing, as often as there is a job. */
await workGraphileJobs('noop', () => undefined);
