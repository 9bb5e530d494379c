import type { Album, Catalogue, Recording } from '@segue/stand-ins/tidal/catalogue.ts';
import { type Random, randomStream } from './random.ts';

/** An addition that somebody wants to make at a moment of a round. */
export type Wish = { atMs: number; round: number } & (
  | { by: 'track' | 'album'; tidalId: string }
  /** Another service's INSERT, committed after so long: what it writes turns up behind what is newer. */
  | {
      by: 'insert';
      title: string;
      isrc: string;
      spelled: string;
      force: boolean;
      holdMs: number;
      bytes: number;
    }
);

export type WishList = { wishes: Wish[]; catalogue: Catalogue };

/** Recordings that are in the index from the beginning. */
export const indexedFromTheStart = Array.from({ length: 200 }, (_, number) => isrcOf('QZIDX', number));
/** How the ISRCs begin that a trial adds, each in one round. */
export const ofTrials = { promise: 'QZ5S', backfill: 'QZBEF', reindex: 'QZRDX' };
/** Recordings whose events Inngest refuses, every time. */
export const isRefused = (isrc: string) => isrc.startsWith('QZBAD') || isTooLarge(isrc);
/** Recordings whose requests are larger than Inngest takes. */
const isTooLarge = (isrc: string) => isrc.startsWith('QZBIG');
const refused = Array.from({ length: 200 }, (_, number) => isrcOf('QZBAD', number));

const artist = { id: '1', name: 'The Chaos Quartet' };

/**
 * What is added in each round, and the catalogue that has it: about fourteen additions a second, a tenth of them
 * albums. Recordings come back again and again, spelled in several ways, alone and on albums; some are indexed, some
 * are refused, and some have no ISRC or none that is valid. Every title is like no other.
 */
export function wishesOf(options: { seed: number; rounds: number; roundMs: number }): WishList {
  const random = randomStream(options.seed, 'wishes');
  const nextIsrc = isrcs(random);
  const catalogue: Catalogue = { artists: [artist], albums: [], tracks: [], videos: [] };
  const wishes: Wish[] = [];
  let lastId = 1_000;
  let lossy = 0;

  function track(albumId?: string): string {
    const id = String(++lastId);
    const isrc = random.chance(0.08)
      ? random.oneOf([undefined, 'none', 'QZ-123'])
      : spelled(random, nextIsrc());
    const recording: Recording = {
      id,
      title: `Track ${id}`,
      ...(isrc !== undefined && { isrc }),
      seconds: 180,
      artistIds: [artist.id],
      albumIds: albumId === undefined ? [] : [albumId],
    };
    catalogue.tracks.push(recording);
    return id;
  }

  function album(): string {
    const id = String(++lastId);
    const items: Album['items'] = Array.from({ length: random.between(2, 24) }, (_, index) => {
      return { type: 'tracks', id: track(id), volumeNumber: 1, trackNumber: index + 1 };
    });
    catalogue.albums.push({
      id,
      title: `Album ${id}`,
      albumType: 'ALBUM',
      barcodeId: id.padStart(14, '0'),
      releaseDate: '2025-01-01',
      copyright: artist.name,
      artistIds: [artist.id],
      items,
    });
    return id;
  }

  for (let round = 0; round < options.rounds; round++) {
    for (let atMs = 0; atMs < options.roundMs; atMs += random.between(20, 120)) {
      const kind = random.number();
      if (kind < 0.1) wishes.push({ atMs, round, by: 'album', tidalId: album() });
      else if (kind < 0.5) wishes.push({ atMs, round, by: 'track', tidalId: track() });
      else {
        const bytes = bytesOf(random);
        const title = `Insert ${++lastId}`;
        const isLossy = random.chance(0.04);
        const isrc =
          bytes > mostBytes ? isrcOf('QZBIG', lastId) : isLossy ? isrcOf('QZLST', ++lossy) : nextIsrc();
        const holdMs = random.chance(0.1) ? random.between(200, 1_500) : 0;
        const force = !isLossy && random.chance(0.15);
        wishes.push({
          atMs,
          round,
          by: 'insert',
          title,
          isrc,
          spelled: spelled(random, isrc),
          force,
          holdMs,
          bytes,
        });
      }
    }
  }
  return { wishes, catalogue };
}

/** Inngest takes no event of more. */
const mostBytes = 3 * 1024 * 1024;

/** Most requests are small, some have 40 to 300 KiB, and a few are more than Inngest takes. */
function bytesOf(random: Random): number {
  const kind = random.number();
  if (kind < 0.004) return mostBytes + random.between(1, 300_000);
  return kind < 0.04 ? random.between(40, 300) * 1_024 : 0;
}

/** Rule R8: what is too large dies with its size in the reason. */
export function sizeViolations(rows: { title: string; isrc: string; reason: string | null }[]): string[] {
  return rows
    .filter(({ isrc, reason }) => isTooLarge(isrc) && !/\d+ bytes/.test(reason ?? ''))
    .map(({ title, reason }) => `R8: ${title} is too large, and its reason is ${reason}`);
}

/** New recordings, and those of lately. */
function isrcs(random: Random): () => string {
  const lately: string[] = [];
  let count = 0;
  return () => {
    const kind = random.number();
    if (kind < 0.03) return random.oneOf(refused);
    if (kind < 0.1) return random.oneOf(indexedFromTheStart);
    if (kind < 0.55 && lately.length > 0) return random.oneOf(lately);
    const isrc = isrcOf('QZNEW', ++count);
    lately.push(isrc);
    if (lately.length > 150) lately.shift();
    return isrc;
  };
}

/** @param prefix five characters */
export function isrcOf(prefix: string, number: number): string {
  return prefix + String(number).padStart(7, '0');
}

function spelled(random: Random, isrc: string): string {
  const hyphenated = isrc.replace(/^(..)(...)(..)(.....)$/, '$1-$2-$3-$4');
  return random.oneOf([isrc, isrc.toLowerCase(), hyphenated, ` ${hyphenated.replaceAll('-', ' ')} `]);
}
