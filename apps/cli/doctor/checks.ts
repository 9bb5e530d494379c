import type { Check } from './check.ts';
import { clock } from './clock.ts';
import { database } from './database.ts';
import { inngest } from './inngest.ts';
import { listen } from './listen.ts';
import { migrations } from './migrations.ts';
import { qdrant } from './qdrant.ts';
import { relays } from './relays.ts';
import { rights } from './rights.ts';
import { tidal } from './tidal.ts';
import { vacuum } from './vacuum.ts';
import { versions } from './versions.ts';
import { worker } from './worker.ts';

/** All checks, in the order in which they are told. A new one is a file and a line here. */
export const checks: readonly Check[] = [
  database,
  migrations,
  rights,
  clock,
  listen,
  vacuum,
  relays,
  qdrant,
  inngest,
  worker,
  tidal,
  versions,
];
