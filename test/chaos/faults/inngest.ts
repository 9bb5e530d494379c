import type { Fault as AnswerFault } from '@segue/stand-ins/faults.ts';
import type { Fault, Subject } from './fault.ts';

/** What Inngest, or a proxy before it, may do in place of taking a call as it should. */
export const inngestFaults = {
  'too many requests': {
    status: 429,
    headers: { 'retry-after': '1' },
    body: { status: 429, error: 'rate limited' },
  },
  'internal error': { status: 500, body: 'Internal Server Error' },
  'gateway page': {
    status: 503,
    headers: { 'content-type': 'text/html' },
    body: '<html><body><h1>503 Service Unavailable</h1></body></html>',
  },
  unauthorised: { status: 401, body: { status: 401, message: '', error: 'Event key not found' } },
  'broken JSON': { status: 200, body: '{"ids":["01JB' },
  /** A refusal of everything: the server's own queue is away. */
  'queue away': { status: 400, body: { ids: [''], status: 400, error: 'handler error' } },
  hang: 'hang',
  reset: 'reset',
  'lost answer': 'lose-answer',
} as const satisfies Record<string, AnswerFault>;

export type InngestFault = keyof typeof inngestFaults;

const answering = (Object.keys(inngestFaults) as InngestFault[]).map(
  (name): Fault => ({ name, strike: on => on.services.inngest(inngestFaults[name]) }),
);

export const inngest: Subject = {
  name: 'inngest',
  everyMs: [700, 3_000],
  calm: { chance: 0.5, strike: on => on.services.inngest(null) },
  faults: [
    ...answering,
    { name: 'refused connections', strike: on => on.services.inngest('refused connections') },
  ],
};
