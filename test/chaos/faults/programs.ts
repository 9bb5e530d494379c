import type { KeptAlive } from '../system/processes.ts';
import type { System } from '../system/system.ts';
import type { Fault, Subject } from './fault.ts';

function endings(of: (on: System) => KeptAlive): Fault[] {
  const kill: Fault = { name: 'kill', strike: on => of(on).kill() };
  return [kill, kill, { name: 'stop', strike: on => of(on).stopCleanly() }];
}

export const worker: Subject = {
  name: 'worker',
  everyMs: [3_000, 8_000],
  faults: endings(({ worker }) => worker),
};

export const api: Subject = {
  name: 'api',
  everyMs: [3_000, 8_000],
  faults: [
    ...endings(({ api }) => api),
    { name: 'silent database connections', strike: on => on.silenceDatabase('api') },
    { name: 'log that nobody reads', strike: ({ api }) => api.neglectLog('unread') },
    { name: 'log whose reader dies', strike: ({ api }) => api.neglectLog('closed') },
  ],
};
