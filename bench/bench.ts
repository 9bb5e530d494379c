import type { DatabaseServer } from './database.ts';
import type { Sink } from './sink/sink.ts';
import type { Table } from './table.ts';

/** What every part is measured with. */
export type Bench = {
  server: DatabaseServer;
  sink: Sink;
  /** 1 in a full run; less makes all counts and times smaller, to try a part out. */
  scale: number;
  /** Says how far a part is. */
  progress(text: string): void;
};

/** A statement of the issue, and what was measured of it. */
export type Goal = { goal: string; measured: string; met: boolean };

/** What a part found out. */
export type PartResult = {
  tables: Table[];
  goals: Goal[];
  /** Everything that was measured, for `results.json`. */
  figures: Record<string, unknown>;
  /** SVG, by the name of its file. */
  plots?: Record<string, string>;
};

export type Part = {
  name: string;
  title: string;
  /** Whether it runs only when it is asked for: it takes as long as all others. */
  onlyByName?: boolean;
  run(bench: Bench): Promise<PartResult>;
};

/** How often each thing is measured; the runs of different things take turns. */
export const rounds = 3;

/** A whole number of things, made smaller by the scale. */
export function scaled({ scale }: Bench, full: number, least = 1): number {
  return Math.max(least, Math.round(full * scale));
}
