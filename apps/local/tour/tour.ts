import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Sql } from '@segue/database/connection.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { sampleCatalogue } from '@segue/stand-ins/tidal/sampleCatalogue.ts';
import { index } from '../standIn/indexStandIn.ts';
import { type AdditionAnswer, libraryApiAt } from './libraryApi.ts';
import { readRequests, tourTable } from './tourReport.ts';

/** Kind of Blue of the sample catalogue: six tracks, one of them without an ISRC; and So What, its first. */
const albumId = '1766029';
const trackId = '1766030';
const recordings = sampleCatalogue.tracks.filter(track => track.albumIds.includes(albumId));
/** Its second and third. */
const indexedBefore = recordings.slice(1, 3).map(({ title, isrc = '' }) => ({ title, isrc }));
const isrcs = recordings.flatMap(({ isrc }) => isrc ?? []);

/** An outage of a real Inngest may last for ever; the tour does not. */
const settledWithinMs = 15_000;
const lookEveryMs = 100;

export type TourOptions = {
  /** `http://127.0.0.1:4000` */
  api: string;
  sql: Sql;
  /** The stand-in for Qdrant; null where Qdrant is real, and nothing of ours may be put there. */
  indexStandIn: { url: string; collection: string } | null;
  say(line: string): void;
  signal: AbortSignal;
};

/** Tracks and albums in the library. */
export async function countItems(sql: Sql): Promise<number> {
  const [row] = await sql<[{ count: number }]>`
    SELECT (SELECT count(*) FROM library_tracks) + (SELECT count(*) FROM library_albums) AS count`;
  return row.count;
}

/**
 * Whether the tour is to be played: into an empty library, or where an earlier one was cut short.
 *
 * @param marker the file that says how far it came
 */
export async function isTourDue(marker: string, libraryItems: number): Promise<boolean> {
  const state = await readFile(marker, 'utf8').catch(error => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return state === null ? libraryItems === 0 : state !== 'played';
}

/** Plays the tour once. One that fails is told and played again at the next start. */
export async function playTourOnce(marker: string, options: TourOptions): Promise<void> {
  await writeFile(marker, 'begun');
  try {
    await playTour(options);
    await writeFile(marker, 'played');
  } catch (error) {
    options.signal.throwIfAborted();
    options.say(`  The tour ends here: ${reasonOf(error)}`);
  }
}

/** Adds a track, an album that contains it, and the album again, as any client would; then says what came of it. */
async function playTour({ api, sql, indexStandIn, say, signal }: TourOptions): Promise<void> {
  const library = libraryApiAt(api, signal);
  say(`A short tour, this once, through ${api}/graphql`);
  if (indexStandIn) {
    await index(indexStandIn.url, indexStandIn.collection, indexedBefore);
    say(`  Two recordings are put into the stand-in for Qdrant first, as if they had been indexed long ago.`);
  }
  const track = await library.addTrack(trackId);
  say(`  1. addTrackToLibrary  "So What"           ${told(track)}`);
  const deadline = performance.now() + settledWithinMs;
  await settled(sql, deadline, signal);
  const album = await library.addAlbum(albumId);
  say(`  2. addAlbumToLibrary  "Kind of Blue"      ${told(album)}`);
  const again = await library.addAlbum(albumId);
  say(`  3. addAlbumToLibrary  the same once more  ${told(again)}`);
  const requests = await settled(sql, deadline, signal);

  const items = await library.getItems(idOf(track), idOf(album));
  say('');
  for (const line of tourTable(items, requests)) say(`  ${line}`);
}

/** Waits until the relay is done with all requests of the tour, or time is up. */
async function settled(sql: Sql, deadline: number, signal: AbortSignal) {
  for (;;) {
    const requests = await readRequests(sql, isrcs);
    if (requests.every(request => request.settled) || performance.now() > deadline) return requests;
    await wait(lookEveryMs, undefined, { signal });
  }
}

function told({ __typename, message }: AdditionAnswer): string {
  return message === undefined ? __typename : `${__typename}: ${message}`;
}

function idOf({ id, message }: AdditionAnswer): string {
  if (id === undefined) throw new Error(message);
  return id;
}
