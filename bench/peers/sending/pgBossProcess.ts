import type { Recording } from '../../recordings.ts';
import { workPgBossJobs } from '../pgBossJobs.ts';
import { createLedger, ingest, openDatabase } from './ingest.ts';
import { queue, sendingWork } from './pgBoss.ts';

/** The process behind `pgBoss.ts`: does the whole work of a batch of recordings at once. */
const sql = openDatabase(sendingWork.localConcurrency);
await createLedger(sql);
await workPgBossJobs<Recording>(queue, sendingWork, batch =>
  ingest(
    sql,
    batch.map(({ id, data }) => ({ id, recording: data })),
  ),
);
