import { type Recording, recordings } from '../../recordings.ts';
import { storeTrack } from '../../steadyAdditions.ts';
import { takeOrders } from '../orders.ts';
import { askAndSend, logScheduled, openDatabase } from './ingest.ts';
import { connections } from './inRequest.ts';

/** The process behind `inRequest.ts`: what the API did for a track, without its HTTP and without TIDAL. */
const sql = openDatabase(connections);

takeOrders(async ({ jobs, firstRecording }) => {
  const waiting = recordings(firstRecording, jobs).values();
  await Promise.all(Array.from({ length: connections }, () => serve(waiting)));
});

async function serve(waiting: IteratorObject<Recording>): Promise<void> {
  for (const recording of waiting) {
    await storeTrack(sql, recording);
    await askAndSend([recording]);
    logScheduled(recording);
  }
}
