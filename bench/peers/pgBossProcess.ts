import { pgBossWork, queue } from './pgBoss.ts';
import { workPgBossJobs } from './pgBossJobs.ts';

/** The process behind `pgBoss.ts`: does nothing, as often as there is a job. */
await workPgBossJobs(queue, pgBossWork, () => undefined);
