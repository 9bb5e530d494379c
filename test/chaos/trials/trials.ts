import { backfill } from './backfill.ts';
import { deadWay } from './deadWay.ts';
import { reindex } from './reindex.ts';
import { storm } from './storm.ts';
import type { Trial } from './trial.ts';

/** One of them follows each round. */
export const trials: readonly Trial[] = [storm, deadWay, backfill, reindex];
