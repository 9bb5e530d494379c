import type { Fault, Subject } from './faults/fault.ts';
import { type Random, randomStream } from './random.ts';

/** A fault that strikes at a moment of a round; null: calm. */
export type Blow = {
  atMs: number;
  subject: Subject;
  fault: Fault | null;
  /** What the fault leaves to chance. */
  random: Random;
};

export type ScheduleOptions = {
  seed: number;
  repertoire: readonly Subject[];
  rounds: number;
  roundMs: number;
};

/** Everything that befalls the system, by rounds, in the order of time. The same seed makes the same run. */
export function scheduleOf({ seed, repertoire, rounds, roundMs }: ScheduleOptions): Blow[][] {
  const schedule: Blow[][] = Array.from({ length: rounds }, () => []);
  for (const subject of repertoire) {
    const random = randomStream(seed, `faults: ${subject.name}`);
    const next = deck(subject.faults, random);
    for (const [round, blows] of schedule.entries()) {
      for (
        let atMs = random.between(...subject.everyMs);
        atMs < roundMs;
        atMs += random.between(...subject.everyMs)
      ) {
        const fault = random.chance(subject.calm?.chance ?? 0) ? null : next();
        const name = `round ${round}, ${atMs} ms: ${subject.name}`;
        blows.push({ atMs, subject, fault, random: randomStream(seed, name) });
      }
    }
  }
  return schedule.map(blows => blows.sort((one, other) => one.atMs - other.atMs));
}

/** Draws as from a shuffled deck: each comes up once before any comes up again. */
function deck<Card>(cards: readonly Card[], random: Random): () => Card {
  let left: Card[] = [];
  return () => {
    if (left.length === 0) left = [...cards];
    const [card] = left.splice(random.between(0, left.length - 1), 1);
    return card as Card;
  };
}
