import type { Check } from './check.ts';
import { clock } from './clock.ts';
import { database } from './database.ts';
import { inngest } from './inngest.ts';
import { listen } from './listen.ts';
import { vacuum } from './vacuum.ts';

/** All checks, in the order in which they are told. A new one is a file and a line here. */
export const checks: readonly Check[] = [database, clock, listen, vacuum, inngest];
