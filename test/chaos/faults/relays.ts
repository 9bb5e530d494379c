import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { KeptAlive } from '../system/processes.ts';
import type { System } from '../system/system.ts';
import type { Fault, Subject } from './fault.ts';

const any = ({ relays }: System, random: Random): KeptAlive => random.oneOf(relays);

const kill: Fault = {
  name: 'kill',
  strike(on, random) {
    on.noteDue();
    any(on, random).kill();
  },
};
const stop: Fault = { name: 'stop', strike: (on, random) => any(on, random).stopCleanly() };

/** So long that its slots are another's when it goes on. */
const pause: Fault = {
  name: 'pause past the lease',
  strike: (on, random) => any(on, random).pause(on.leaseMs + random.between(100, on.leaseMs)),
};

/** For five seconds one ends each second, and starts again. */
const comeAndGo: Fault = {
  name: 'come and go every second',
  async strike(on, random) {
    for (let second = 0; second < 5; second++) {
      const relay = on.relays[second % on.relays.length] as KeptAlive;
      if (random.chance(0.5)) relay.kill();
      else relay.stopCleanly();
      await wait(1_000);
    }
  },
};

export const relays: Subject = {
  name: 'relay',
  everyMs: [800, 3_000],
  faults: [
    kill,
    kill,
    kill,
    kill,
    stop,
    stop,
    pause,
    pause,
    comeAndGo,
    {
      name: 'own way to Inngest is dead',
      strike: (on, random) => on.cutWayToInngest(on.leaseMs + random.between(500, 2 * on.leaseMs)),
    },
    { name: 'silent database connections', strike: on => on.silenceDatabase('relays') },
    { name: 'log that nobody reads', strike: (on, random) => any(on, random).neglectLog('unread') },
    { name: 'log whose reader dies', strike: (on, random) => any(on, random).neglectLog('closed') },
  ],
};
