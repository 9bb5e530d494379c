import type { Isrc } from '@segue/ingestion/isrc.ts';
import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';

/** What is asked for, by the outbox's rows and by the peers' jobs alike. */
export type Recording = { isrc: Isrc; title: string; artist: string; album: string; artworkUrl: string };

/** Every twentieth row repeats a recording: 5 %. */
const duplicateEvery = 20;

/**
 * A power of 3 shares no factor with 10^10, so every number gives another ISRC, and those of neighbours lie
 * far apart: as in life, the ledger's index is written all over and not at its end. Below 2^53 for the first
 * 23 million.
 */
const stride = 3 ** 18;
const isrcs = 10 ** 10;

/** The same in SQL, for a history that is written by the database. `n` names a bigint. */
export const isrcInSql = (n: string) => `'QZ' || lpad((${n} * ${stride} % ${isrcs})::text, 10, '0')`;

export function isrcOf(n: number): Isrc {
  return `QZ${String((n * stride) % isrcs).padStart(10, '0')}` as Isrc;
}

/**
 * Recordings from a number on, in the order in which they are requested: 5 % of them repeat one that came
 * before, anywhere before. The same every time.
 */
export function recordings(first: number, count: number): Recording[] {
  const random = seededRandom(first);
  const all: Recording[] = [];
  for (let place = 0; place < count; place++) {
    const repeats = place % duplicateEvery === duplicateEvery - 1;
    all.push(repeats ? (all[Math.floor(random() * place)] as Recording) : recordingOf(first + place));
  }
  return all;
}

function recordingOf(n: number): Recording {
  const year = 1960 + (n % 65);
  return {
    isrc: isrcOf(n),
    title: `Song ${n} of the Long Road (Remastered ${year})`,
    artist: `The Wanderers of ${n % 5_000}`,
    album: `Collected Recordings, Volume ${n % 40}`,
    artworkUrl: `https://resources.tidal.com/images/0f6b${n % 10_000}/1c2d/4e5f/8a9b/1280x1280.jpg`,
  };
}

/** Whether the index of the benchmarks has a point of that id: 10 % of all, by the id's first digits. */
export function isIndexed(pointId: string): boolean {
  return Number.parseInt(pointId.slice(0, 4), 16) < 0x10000 / 10;
}

/** The ISRCs that must have an event in the end: each once, and none that is indexed. */
export function expectedEvents(requested: Recording[]): Set<string> {
  return new Set(requested.map(({ isrc }) => isrc).filter(isrc => !isIndexed(hashIsrcToUuid(isrc))));
}

/** Mulberry32: 0 to 1, the same row of numbers for the same seed. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
