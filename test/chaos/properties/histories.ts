import type { IngestionRequest } from '@segue/ingestion/request.ts';
import fc from 'fast-check';
import { type InngestFault, inngestFaults } from '../faults/inngest.ts';
import { type QdrantFault, qdrantFaults } from '../faults/qdrant.ts';

/** Recordings have a number; the last one is refused by Inngest whenever it comes. */
const recordings = 8;
export const refusedRecording = recordings - 1;
export const isRefused = (isrc: string) => isrc === isrcOf(refusedRecording);
export const isrcOf = (recording: number) =>
  `QZPRP${String(recording).padStart(7, '0')}` as IngestionRequest['isrc'];

/** Ways to write one ISRC. */
export const spellings: ((isrc: string) => string)[] = [
  isrc => isrc,
  isrc => isrc.toLowerCase(),
  isrc => ` ${isrc.replace(/^(..)(...)(..)(.....)$/, '$1-$2-$3-$4')} `,
  isrc => [...isrc].join('\u2010'),
];

export type Wish = { recording: number; force: boolean };

/** An addition: by our API, which knows tracks and albums, or by another service that writes an INSERT. */
export type Addition =
  | { by: 'track'; wish: Wish }
  | { by: 'album'; wishes: Wish[] }
  | { by: 'insert'; wish: Wish; spelling: number };

/** Something befalls a relay when so many relays have come to this point. */
export type Mishap = {
  at: 'before asking the index' | 'before sending' | 'after sending';
  pass: number;
  /** Dies on the spot; or stands still until its lease is over, and then goes on as if nothing had been. */
  what: 'dies' | 'sleeps';
};

export type Chapter = {
  /** A day has passed, so that nothing of before is within the dedupe window. */
  newDay: boolean;
  /** Recordings that have been put into the index meanwhile. */
  indexed: number[];
  additions: Addition[];
  /** What befalls the calls of this chapter, in their order; those beyond are answered as they should be. */
  inngest: (InngestFault | null)[];
  qdrant: (QdrantFault | null)[];
  mishaps: Mishap[];
  /** How a refusal is told: see `refuseEvents`. */
  publishesUpToTheBadOne: boolean;
};

export type History = { relays: number; batchSize: number; concurrency: number; chapters: Chapter[] };

const wish: fc.Arbitrary<Wish> = fc.record({
  recording: fc.nat({ max: recordings - 1 }),
  force: fc.boolean(),
});

const addition: fc.Arbitrary<Addition> = fc.oneof(
  fc.record({ by: fc.constant('track' as const), wish }),
  fc.record({ by: fc.constant('album' as const), wishes: fc.array(wish, { minLength: 1, maxLength: 6 }) }),
  fc.record({ by: fc.constant('insert' as const), wish, spelling: fc.nat({ max: spellings.length - 1 }) }),
);

const mishap: fc.Arbitrary<Mishap> = fc.record({
  at: fc.constantFrom('before asking the index', 'before sending', 'after sending'),
  pass: fc.integer({ min: 1, max: 6 }),
  what: fc.constantFrom('dies', 'sleeps'),
});

const faultsOf = <Name extends string>(faults: Record<Name, unknown>) =>
  fc.array(fc.option(fc.constantFrom(...(Object.keys(faults) as Name[])), { freq: 2 }), { maxLength: 5 });

const chapter = (stormy: boolean): fc.Arbitrary<Chapter> =>
  fc.record({
    newDay: fc.boolean(),
    indexed: fc.uniqueArray(fc.nat({ max: recordings - 2 }), { maxLength: 2 }),
    additions: fc.array(addition, { minLength: 1, maxLength: 10 }),
    inngest: stormy ? faultsOf(inngestFaults) : fc.constant([]),
    qdrant: stormy ? faultsOf(qdrantFaults) : fc.constant([]),
    mishaps: stormy ? fc.array(mishap, { maxLength: 4 }) : fc.constant([]),
    publishesUpToTheBadOne: fc.boolean(),
  });

/** @param stormy whether anything breaks */
export const history = ({ stormy }: { stormy: boolean }): fc.Arbitrary<History> =>
  fc.record({
    relays: fc.integer({ min: 1, max: 4 }),
    batchSize: fc.integer({ min: 1, max: 6 }),
    concurrency: fc.integer({ min: 1, max: 2 }),
    chapters: fc.array(chapter(stormy), { minLength: 1, maxLength: 3 }),
  });
