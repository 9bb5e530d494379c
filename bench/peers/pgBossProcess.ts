import { PgBoss } from 'pg-boss';
import type { PeerAnswer, PeerOrder } from './peer.ts';
import { pgBossOptions, pgBossQueue, pgBossWork, queue } from './pgBoss.ts';

/** The process behind `pgBoss.ts`: does nothing, as often as there is a job. */
const boss = new PgBoss({ connectionString: process.env.DATABASE_URL as string, ...pgBossOptions });
await boss.start();
await boss.createQueue(queue, pgBossQueue);

process.on('message', async ({ jobs }: PeerOrder) => {
  let worked = 0;
  // It polls at most twice a second, so it begins to work when the jobs are there.
  await boss.work(queue, pgBossWork, async batch => {
    worked += batch.length;
    if (worked < jobs) return;
    say({ kind: 'done' });
    void boss.offWork(queue, { wait: false });
  });
});
process.on('disconnect', () => process.exit());
say({ kind: 'ready' });

function say(answer: PeerAnswer): void {
  process.send?.(answer);
}
