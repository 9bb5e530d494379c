import { Logger, run } from 'graphile-worker';
import type { Recording } from '../../recordings.ts';
import { graphileWorkerPreset } from '../graphileWorker.ts';
import type { PeerAnswer, PeerOrder } from '../peer.ts';
import { task } from './graphileWorker.ts';
import { createLedger, ingest, openDatabase } from './ingest.ts';

/** The process behind `graphileWorker.ts`: does a recording's whole work in a job. */
let worked = 0;
let wanted = Number.POSITIVE_INFINITY;
const sql = openDatabase(graphileWorkerPreset.concurrentJobs);
await createLedger(sql);

await run({
  preset: {
    worker: {
      ...graphileWorkerPreset,
      connectionString: process.env.DATABASE_URL as string,
      // `ingest` writes the lines.
      logger: new Logger(() => () => undefined),
    },
  },
  taskList: {
    [task]: async (payload, { job }) => {
      await ingest(sql, [{ id: job.id, recording: payload as Recording }]);
      worked += 1;
      if (worked === wanted) finish();
    },
  },
});

process.on('message', ({ jobs }: PeerOrder) => {
  wanted = jobs;
  // It is woken by the jobs themselves, and may have begun.
  if (worked >= wanted) finish();
});
process.on('disconnect', () => process.exit());
say({ kind: 'ready' });

function finish(): void {
  worked = 0;
  wanted = Number.POSITIVE_INFINITY;
  say({ kind: 'done' });
}

function say(answer: PeerAnswer): void {
  process.send?.(answer);
}
