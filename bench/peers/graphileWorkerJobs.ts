import { type Job, Logger, run } from 'graphile-worker';
import { graphileWorkerPreset } from './graphileWorker.ts';
import { takeOrders } from './orders.ts';

/** Runs graphile-worker in this process, and works off the orders of the bench with jobs of one task. */
export async function workGraphileJobs(
  task: string,
  perform: (job: Job) => Promise<void> | void,
): Promise<void> {
  let worked = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let finish = () => {};

  await run({
    preset: {
      worker: {
        ...graphileWorkerPreset,
        connectionString: process.env.DATABASE_URL as string,
        // Without a line for each job, as in its own performance test (NO_LOG_SUCCESS).
        logger: new Logger(() => () => undefined),
      },
    },
    taskList: {
      [task]: async (_, { job }) => {
        await perform(job);
        worked += 1;
        if (worked === wanted) finish();
      },
    },
  });

  takeOrders(async ({ jobs }) => {
    const done = Promise.withResolvers<void>();
    finish = done.resolve;
    wanted = jobs;
    // It is woken by the jobs themselves, and may have ended.
    if (worked >= wanted) finish();
    await done.promise;
    worked = 0;
    wanted = Number.POSITIVE_INFINITY;
  });
}
