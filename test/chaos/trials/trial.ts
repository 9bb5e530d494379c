import type { Additions } from '../additions.ts';
import type { Random } from '../random.ts';
import type { System } from '../system/system.ts';

export type Scene = {
  on: System;
  additions: Additions;
  random: Random;
  round: number;
  onInTime: (additions: number) => void;
};

/** Something that is done while nothing else is broken, so that a promise about time can be looked at. */
export type Trial = {
  name: string;
  /** @returns a sentence for each thing that is wrong */
  hold(scene: Scene): Promise<string[]>;
};
