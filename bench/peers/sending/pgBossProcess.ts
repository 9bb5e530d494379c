import { PgBoss } from 'pg-boss';
import type { Recording } from '../../recordings.ts';
import type { PeerAnswer, PeerOrder } from '../peer.ts';
import { pgBossOptions, pgBossQueue } from '../pgBoss.ts';
import { createLedger, ingest, openDatabase } from './ingest.ts';
import { queue, sendingWork } from './pgBoss.ts';

/** The process behind `pgBoss.ts`: does the whole work of a batch of recordings at once. */
const sql = openDatabase(sendingWork.localConcurrency);
await createLedger(sql);
const boss = new PgBoss({ connectionString: process.env.DATABASE_URL as string, ...pgBossOptions });
await boss.start();
await boss.createQueue(queue, pgBossQueue);

process.on('message', async ({ jobs }: PeerOrder) => {
  let worked = 0;
  // It polls at most twice a second, so it begins to work when the jobs are there.
  await boss.work<Recording>(queue, sendingWork, async batch => {
    await ingest(
      sql,
      batch.map(({ id, data }) => ({ id, recording: data })),
    );
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
