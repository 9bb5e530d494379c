import { Logger, run } from 'graphile-worker';
import { graphileWorkerPreset } from './graphileWorker.ts';
import type { PeerAnswer, PeerOrder } from './peer.ts';

/** The process behind `graphileWorker.ts`: does nothing, as often as there is a job. */
let worked = 0;
let wanted = Number.POSITIVE_INFINITY;

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
    noop: () => {
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
