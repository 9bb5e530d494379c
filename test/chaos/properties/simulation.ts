import { setTimeout as wait } from 'node:timers/promises';
import type { Sql } from '@segue/database/connection.ts';
import { ingestionRequested } from '@segue/ingestion/event.ts';
import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import type { IngestionRequest } from '@segue/ingestion/request.ts';
import { enqueue, enqueueAlbum } from '@segue/outbox/test/outbox.ts';
import type { Fault } from '@segue/stand-ins/faults.ts';
import { type InngestStandIn, startInngest } from '@segue/stand-ins/inngest/server.ts';
import { type QdrantStandIn, startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import { vi } from 'vitest';
import { inngestFaults } from '../faults/inngest.ts';
import { qdrantFaults } from '../faults/qdrant.ts';
import { untouched } from '../hands.ts';
import type { Addition as AddedRecording, Outcome } from '../model.ts';
import { countOpen, passADay, readTables } from '../observation.ts';
import { refuseEvents } from '../refusals.ts';
import {
  type Addition,
  type Chapter,
  type History,
  isRefused,
  isrcOf,
  spellings,
  type Wish,
} from './histories.ts';
import { type Fleet, startFleet } from './relayPool.ts';

/** The longest history takes a tenth of it on an idle machine. */
const drainWithinMs = 30_000;

export type Lived = Outcome & {
  /** Titles that were added, unforced, when the index held their recording. */
  unneeded: string[];
};

/** Lives a history through, on a database that is emptied first, and tells what has become of it. */
export async function live(database: { sql: Sql; url: string }, history: History): Promise<Lived> {
  const { sql, url } = database;
  await sql`TRUNCATE ingestion_outbox, ingestion_ledger, album_ingestion_batches, relays`;
  await sql`UPDATE relay_slots SET owner = NULL, lease_end = '-infinity'`;
  const inngest = await startInngest();
  const qdrant = await startIndex();
  vi.stubEnv('INNGEST_BASE_URL', inngest.url);
  vi.stubEnv('INNGEST_DEV', '1');
  const fleet = await startFleet({ ...history, databaseUrl: url, qdrantUrl: qdrant.url });
  const additions: AddedRecording[] = [];
  const indexed = new Set<string>();
  const unneeded: string[] = [];
  let window = 0;
  try {
    for (const chapter of history.chapters) {
      if (chapter.newDay) {
        window += 1;
        await passADay(sql);
      }
      for (const recording of chapter.indexed) indexed.add(isrcOf(recording));
      await putIntoIndex(qdrant, chapter.indexed.map(isrcOf));
      applyFaults(inngest, qdrant, chapter);
      fleet.meet(chapter.mishaps);
      for (const addition of chapter.additions) {
        const added = await add(sql, addition, additions.length, window);
        additions.push(...added);
        unneeded.push(
          ...added.flatMap(({ isrc, force, title }) => (indexed.has(isrc ?? '') && !force ? title : [])),
        );
        fleet.hint();
      }
      await drain(sql, fleet);
    }
    return {
      additions,
      unneeded,
      ...(await readTables(sql)),
      events: inngest.events().filter(({ name }) => name === ingestionRequested),
      isIndexed: isrc => indexed.has(isrc),
      isRefused,
      touched: untouched(),
    };
  } finally {
    await fleet.stop();
    await Promise.all([inngest.close(), qdrant.close()]);
    vi.unstubAllEnvs();
  }
}

/** Writes an addition as its author would. @returns the recordings in it */
async function add(sql: Sql, addition: Addition, number: number, window: number): Promise<AddedRecording[]> {
  const wishes = addition.by === 'album' ? addition.wishes : [addition.wish];
  const requests = wishes.map((wish, index) => requestOf(wish, number + index));
  const [request] = requests as [IngestionRequest];
  if (addition.by === 'track') await enqueue(sql, request);
  else if (addition.by === 'album') await enqueueAlbum(sql, requests);
  else {
    const { title, artist, album, force = false } = request;
    const isrc = (spellings[addition.spelling] as (isrc: string) => string)(request.isrc);
    await sql`INSERT INTO ingestion_outbox ${sql({ isrc, title, artist, album, force })}`;
  }
  return requests.map(({ title, isrc, force = false }) => ({ title, isrc, force, window, confirmed: true }));
}

function requestOf({ recording, force }: Wish, number: number): IngestionRequest {
  return {
    isrc: isrcOf(recording),
    title: `Addition ${number}`,
    artist: 'Miles Davis',
    album: 'Kind of Blue',
    force,
  };
}

function applyFaults(inngest: InngestStandIn, qdrant: QdrantStandIn, chapter: Chapter): void {
  const inngestAhead = chapter.inngest.map(name => name && quickened(inngestFaults[name]));
  const qdrantAhead = chapter.qdrant.map(name => name && quickened(qdrantFaults[name]));
  refuseEvents(inngest, {
    isRefused,
    publishesUpToTheBadOne: () => chapter.publishesUpToTheBadOne,
    nextFault: () => inngestAhead.shift() ?? null,
  });
  qdrant.answerWith(() => qdrantAhead.shift() ?? undefined);
}

/** Time limits and patience are counted in seconds, and are tested elsewhere: a call that would hang fails at once. */
function quickened(fault: Fault): Fault {
  if (fault === 'hang') return 'reset';
  return typeof fault === 'object' ? { ...fault, headers: {} } : fault;
}

/**
 * Waits until nothing is open; then wakes who still sleeps, and waits for what they make of it. Time passes more quickly here: rows that wait for their next
 * attempt need not, and the leases of the dead are over at once.
 */
async function drain(sql: Sql, fleet: Fleet): Promise<void> {
  const deadline = performance.now() + drainWithinMs;
  for (;;) {
    const open = await countOpen(sql);
    if (open === 0) fleet.wakeUp();
    if ((open === 0 && !fleet.hasSleepers()) || performance.now() > deadline) return;
    await fleet.endLeases(sql);
    await sql`
      UPDATE ingestion_outbox SET available_at = now() WHERE id IN (
        SELECT id FROM ingestion_outbox
        WHERE settled_at IS NULL AND status = 'pending' AND available_at > now() FOR UPDATE SKIP LOCKED)`;
    await wait(10);
  }
}

const json = { 'content-type': 'application/json' };

async function startIndex(): Promise<QdrantStandIn> {
  const qdrant = await startQdrant();
  const body = JSON.stringify({ vectors: { size: 1, distance: 'Dot' } });
  await fetch(`${qdrant.url}/collections/tracks`, { method: 'PUT', headers: json, body });
  return qdrant;
}

async function putIntoIndex(qdrant: QdrantStandIn, isrcs: string[]): Promise<void> {
  qdrant.answerWith(null);
  const points = isrcs.map(isrc => ({ id: hashIsrcToUuid(isrc), vector: [1], payload: {} }));
  const body = JSON.stringify({ points });
  await fetch(`${qdrant.url}/collections/tracks/points?wait=true`, { method: 'PUT', headers: json, body });
}
