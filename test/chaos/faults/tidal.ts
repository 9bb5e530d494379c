import type { Fault as AnswerFault } from '@segue/stand-ins/faults.ts';
import type { Subject } from './fault.ts';

const broken: AnswerFault = { status: 500, body: '' };
/** The bucket of its rate limit, filled twenty times as fast: 4 requests a second, where a round asks for more. */
const pace = { burst: 10, perSecond: 20, cost: 5 };
const isListing = (url: string) => /\/items|\/tracks\?/.test(url);
const isLaterPage = (url: string) => /\/items.*cursor/.test(url);

/** TIDAL answers nothing, fails in the middle of an album, or holds us to a pace. */
export const tidal: Subject = {
  name: 'tidal',
  everyMs: [1_000, 5_000],
  calm: { chance: 0.5, strike: on => on.services.tidal(null) },
  faults: [
    { name: 'internal error', strike: on => on.services.tidal(() => broken) },
    { name: 'no listings', strike: on => on.services.tidal(url => (isListing(url) ? broken : undefined)) },
    {
      name: 'no later pages',
      strike: on => on.services.tidal(url => (isLaterPage(url) ? broken : undefined)),
    },
    {
      name: 'fails now and then',
      strike: (on, random) => on.services.tidal(() => (random.chance(0.3) ? broken : undefined)),
    },
    { name: 'hangs', strike: on => on.services.tidal(url => (isListing(url) ? 'hang' : undefined)) },
    {
      name: 'rate limit',
      strike(on) {
        on.services.tidal(null);
        on.services.limitTidal(pace);
      },
    },
  ],
};
