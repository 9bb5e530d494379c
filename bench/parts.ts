import type { Part } from './bench.ts';
import { backfill } from './parts/backfill.ts';
import { batches } from './parts/batches.ts';
import { consolePages } from './parts/consolePages.ts';
import { consoleVisitors } from './parts/consoleVisitors.ts';
import { crowds } from './parts/crowds.ts';
import { drain } from './parts/drain.ts';
import { growth } from './parts/growth.ts';
import { halfLoad } from './parts/halfLoad.ts';
import { hostile } from './parts/hostile.ts';
import { idle } from './parts/idle.ts';
import { latency } from './parts/latency.ts';
import { memory } from './parts/memory.ts';
import { queries } from './parts/queries.ts';
import { relays } from './parts/relays.ts';
import { restart } from './parts/restart.ts';
import { sameWork } from './parts/sameWork.ts';
import { write } from './parts/write.ts';

/** All parts, in the order in which they run. */
export const parts: Part[] = [
  sameWork,
  drain,
  batches,
  relays,
  latency,
  crowds,
  restart,
  backfill,
  write,
  halfLoad,
  idle,
  memory,
  growth,
  queries,
  consolePages,
  consoleVisitors,
  hostile,
];
