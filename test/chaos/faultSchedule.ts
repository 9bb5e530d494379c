import {
  type InngestFault,
  inngestFaults,
  type QdrantFault,
  qdrantFaults,
  type TidalFault,
  tidalFaults,
} from './faults.ts';
import { type Random, randomStream } from './random.ts';

export const databaseFaults = [
  'restart',
  'crash',
  'connections dropped',
  'connections exhausted',
  'read-only',
] as const;
export type DatabaseFault = (typeof databaseFaults)[number];

/** Something that is done to the system at a moment of a round. Relays are counted from 0. */
export type Blow = { atMs: number } & (
  | { what: 'kill relay' | 'stop relay'; relay: number }
  /** SIGSTOP, and SIGCONT after so long. */
  | { what: 'pause relay'; relay: number; forMs: number }
  | { what: 'kill api' | 'stop api' | 'kill worker' | 'stop worker' }
  | { what: 'inngest'; fault: InngestFault | 'refused connections' | null }
  | { what: 'qdrant'; fault: QdrantFault | 'refused connections' | null }
  | { what: 'tidal'; fault: TidalFault | null }
  | { what: 'database'; fault: DatabaseFault }
);

export type RoundOptions = { seed: number; round: number; ms: number; relays: number; leaseMs: number };

/** Everything that befalls the system in a round, in the order of time. The same seed makes the same round. */
export function blowsOf({ seed, round, ms, relays, leaseMs }: RoundOptions): Blow[] {
  const stream = (name: string) => randomStream(seed, `round ${round}: ${name}`);
  const relay = (random: Random) => random.between(0, relays - 1);
  return [
    ...times(stream('relays'), ms, 800, 3_000, (random, atMs): Blow => {
      const what = random.oneOf(['kill relay', 'kill relay', 'pause relay', 'stop relay'] as const);
      const common = { atMs, relay: relay(random) };
      if (what !== 'pause relay') return { ...common, what };
      return { ...common, what, forMs: leaseMs + random.between(100, leaseMs) };
    }),
    ...times(stream('api'), ms, 3_000, 8_000, (random, atMs): Blow => {
      return { atMs, what: random.oneOf(['kill api', 'kill api', 'stop api'] as const) };
    }),
    ...times(stream('worker'), ms, 3_000, 8_000, (random, atMs): Blow => {
      return { atMs, what: random.oneOf(['kill worker', 'kill worker', 'stop worker'] as const) };
    }),
    ...times(stream('inngest'), ms, 700, 3_000, (random, atMs): Blow => {
      const kinds = [...(Object.keys(inngestFaults) as InngestFault[]), 'refused connections'] as const;
      return { atMs, what: 'inngest', fault: random.chance(0.5) ? null : random.oneOf(kinds) };
    }),
    ...times(stream('qdrant'), ms, 700, 4_000, (random, atMs): Blow => {
      const kinds = [...(Object.keys(qdrantFaults) as QdrantFault[]), 'refused connections'] as const;
      return { atMs, what: 'qdrant', fault: random.chance(0.5) ? null : random.oneOf(kinds) };
    }),
    ...times(stream('tidal'), ms, 1_000, 5_000, (random, atMs): Blow => {
      return { atMs, what: 'tidal', fault: random.chance(0.6) ? null : random.oneOf(tidalFaults) };
    }),
    ...times(stream('database'), ms, 3_000, 8_000, (random, atMs): Blow => {
      return { atMs, what: 'database', fault: random.oneOf(databaseFaults) };
    }),
  ].sort((one, other) => one.atMs - other.atMs);
}

/** One thing after another, each some time after the one before. */
function times<Thing>(
  random: Random,
  ms: number,
  shortestMs: number,
  longestMs: number,
  make: (random: Random, atMs: number) => Thing,
): Thing[] {
  const things: Thing[] = [];
  let atMs = random.between(shortestMs, longestMs);
  while (atMs < ms) {
    things.push(make(random, atMs));
    atMs += random.between(shortestMs, longestMs);
  }
  return things;
}
