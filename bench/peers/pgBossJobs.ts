import { type Job, PgBoss, type WorkOptions } from 'pg-boss';
import { takeOrders } from './orders.ts';
import { pgBossOptions, pgBossQueue } from './pgBoss.ts';

/** Runs pg-boss in this process, and works off the orders of the bench with the jobs of one queue. */
export async function workPgBossJobs<Data extends object>(
  queue: string,
  options: WorkOptions,
  perform: (jobs: Job<Data>[]) => Promise<void> | void,
): Promise<void> {
  const boss = new PgBoss({ connectionString: process.env.DATABASE_URL as string, ...pgBossOptions });
  await boss.start();
  await boss.createQueue(queue, pgBossQueue);

  takeOrders(async ({ jobs }) => {
    const done = Promise.withResolvers<void>();
    let worked = 0;
    // It polls at most twice a second, so it begins to work when the jobs are there.
    await boss.work<Data>(queue, options, async batch => {
      await perform(batch);
      worked += batch.length;
      if (worked < jobs) return;
      done.resolve();
      void boss.offWork(queue, { wait: false });
    });
    await done.promise;
  });
}
