import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Sql } from '@segue/database/connection.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { sampleCatalogue } from '@segue/stand-ins/tidal/sampleCatalogue.ts';
import type { Connection } from '@segue/track-index/connect.ts';
import { readDocument } from '@segue/track-index/document.ts';
import { type AdditionAnswer, type LibraryApi, type LibraryItems, libraryApiAt } from './libraryApi.ts';
import { documentLines, readRequests, tourTable } from './tourReport.ts';

/** Kind of Blue of the sample catalogue: six tracks, one of them without an ISRC; and So What, its first. */
const albumTidalId = '1766029';
const trackTidalId = '1766030';
const recordings = sampleCatalogue.tracks.filter(track => track.albumIds.includes(albumTidalId));
const isrcs = recordings.flatMap(({ isrc }) => isrc ?? []);

/** An outage of a real Inngest may last for ever; the tour does not. */
const settledWithinMs = 15_000;
/** The relay looks every few seconds for what has arrived in the index. */
const indexedWithinMs = 45_000;
const lookEveryMs = 100;

export type TourOptions = {
  /** `http://127.0.0.1:4000` */
  api: string;
  sql: Sql;
  /** Where the worker puts documents; null where no worker of ours runs. */
  index: Connection | null;
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
async function playTour({ api, sql, index, say, signal }: TourOptions): Promise<void> {
  const library = libraryApiAt(api, signal);
  say(`A short tour, this once, through ${api}/graphql`);
  const track = await library.addTrack(trackTidalId);
  say(`  1. addTrackToLibrary  "So What"           ${told(track)}`);
  const deadline = performance.now() + settledWithinMs;
  await settled(sql, deadline, signal);
  const album = await library.addAlbum(albumTidalId);
  say(`  2. addAlbumToLibrary  "Kind of Blue"      ${told(album)}`);
  const again = await library.addAlbum(albumTidalId);
  say(`  3. addAlbumToLibrary  the same once more  ${told(again)}`);
  const requests = await settled(sql, deadline, signal);
  if (index) say('  The worker puts the recordings into the index …');
  const items = await arrived(library, [idOf(track), idOf(album)], index ? indexedWithinMs : 0, signal);
  say('');
  for (const line of tourTable(items, requests)) say(`  ${line}`);

  const document = index && (await readDocument(index, isrcs[0] as string));
  if (!document) return;
  say('');
  say('  The document of "So What" in the index:');
  for (const line of documentLines(document)) say(`    ${line}`);
}

/** Waits until the relay is done with all requests of the tour, or time is up. */
async function settled(sql: Sql, deadline: number, signal: AbortSignal) {
  for (;;) {
    const requests = await readRequests(sql, isrcs);
    if (requests.every(request => request.settled) || performance.now() > deadline) return requests;
    await wait(lookEveryMs, undefined, { signal });
  }
}

/** Waits until the library says of no recording any more that it is on its way, or time is up. */
async function arrived(
  library: LibraryApi,
  [trackId, albumId]: [string, string],
  withinMs: number,
  signal: AbortSignal,
): Promise<LibraryItems> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const items = await library.getItems(trackId, albumId);
    const statuses = [items.track, ...items.album.trackListing].map(each => each.ingestion?.status ?? '');
    const underWay = statuses.some(status => status === 'PENDING' || status === 'SCHEDULED');
    if (!underWay || performance.now() > deadline) return items;
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
