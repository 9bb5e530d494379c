import { database } from './database.ts';
import type { Subject } from './fault.ts';
import { hands } from './hands.ts';
import { inngest } from './inngest.ts';
import { api, worker } from './programs.ts';
import { qdrant } from './qdrant.ts';
import { relays } from './relays.ts';
import { tidal } from './tidal.ts';

/** All that can befall the system in a round. */
export const repertoire: readonly Subject[] = [relays, api, worker, inngest, qdrant, tidal, database, hands];
