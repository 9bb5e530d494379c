import type { Recording } from '../../recordings.ts';
import { graphileWorkerPreset } from '../graphileWorker.ts';
import { workGraphileJobs } from '../graphileWorkerJobs.ts';
import { task } from './graphileWorker.ts';
import { createLedger, ingest, openDatabase } from './ingest.ts';

/** The process behind `graphileWorker.ts`: does a recording's whole work in a job. */
const sql = openDatabase(graphileWorkerPreset.concurrentJobs);
await createLedger(sql);
await workGraphileJobs(task, ({ id, payload }) => ingest(sql, [{ id, recording: payload as Recording }]));
