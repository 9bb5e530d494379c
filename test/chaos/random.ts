import { createHash } from 'node:crypto';

/** Numbers that come out the same for the same seed. */
export type Random = {
  /** From 0 up to, and not, 1. */
  number(): number;
  /** A whole number, both ends included. */
  between(least: number, most: number): number;
  chance(probability: number): boolean;
  oneOf<Thing>(things: readonly Thing[]): Thing;
};

/**
 * A stream of its own for each name, so that what one part of a run draws does not change what another gets.
 * The generator is mulberry32: good enough to choose a fault, and four lines.
 */
export function randomStream(seed: number, name: string): Random {
  let state = createHash('sha256').update(`${seed} ${name}`).digest().readUInt32LE(0);
  function number(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const between = (least: number, most: number) => least + Math.floor(number() * (most - least + 1));
  return {
    number,
    between,
    chance: probability => number() < probability,
    oneOf: <Thing>(things: readonly Thing[]) => things[between(0, things.length - 1)] as Thing,
  };
}
