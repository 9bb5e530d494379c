import { type Recording, recordings } from '../../recordings.ts';
import { storeTrack } from '../../steadyAdditions.ts';
import type { PeerAnswer, PeerOrder } from '../peer.ts';
import { askAndSend, logScheduled, openDatabase } from './ingest.ts';
import { connections } from './inRequest.ts';

/** The process behind `inRequest.ts`: what the API did for a track, without its HTTP and without TIDAL. */
const sql = openDatabase(connections);

process.on('message', async ({ jobs, firstRecording }: PeerOrder) => {
  const waiting = recordings(firstRecording, jobs).values();
  await Promise.all(Array.from({ length: connections }, () => serve(waiting)));
  say({ kind: 'done' });
});
process.on('disconnect', () => process.exit());
say({ kind: 'ready' });

async function serve(waiting: IteratorObject<Recording>): Promise<void> {
  for (const recording of waiting) {
    await storeTrack(sql, recording);
    await askAndSend([recording]);
    logScheduled(recording);
  }
}

function say(answer: PeerAnswer): void {
  process.send?.(answer);
}
