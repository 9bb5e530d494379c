import type { Random } from '../random.ts';
import type { System } from '../system/system.ts';

/** Something that is done to the system at a moment. */
export type Fault = {
  name: string;
  /** Resolves when it is over; at once for what lasts until the next one of its subject, or the end of the round. */
  strike(on: System, random: Random): void | Promise<void>;
};

/** What faults befall, one after another. */
export type Subject = {
  name: string;
  /** From one to the next: ms at the least and at the most. */
  everyMs: [number, number];
  /** How likely nothing is broken for once, for subjects whose faults last. */
  calm?: { chance: number; strike: Fault['strike'] };
  /** All come up before one comes up again. One that is named twice comes up twice as often. */
  faults: readonly Fault[];
};
