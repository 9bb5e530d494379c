import type { Fault as AnswerFault } from '@segue/stand-ins/faults.ts';
import type { Fault, Subject } from './fault.ts';

/** What Qdrant, or a proxy before it, may do in place of answering as it should. */
export const qdrantFaults = {
  'too many requests': {
    status: 429,
    headers: { 'retry-after': '1' },
    body: { status: { error: 'slow down' } },
  },
  'internal error': { status: 500, body: { status: { error: 'Service internal error' } } },
  unauthorised: { status: 401, body: 'Invalid API key or JWT' },
  'no collection': {
    status: 404,
    body: { status: { error: "Not found: Collection `tracks` doesn't exist!" } },
  },
  'broken JSON': { status: 200, headers: { 'content-type': 'application/json' }, body: '{"result":[{"id":' },
  hang: 'hang',
  reset: 'reset',
} as const satisfies Record<string, AnswerFault>;

export type QdrantFault = keyof typeof qdrantFaults;

const answering = (Object.keys(qdrantFaults) as QdrantFault[]).map(
  (name): Fault => ({ name, strike: on => on.services.qdrant(qdrantFaults[name]) }),
);

export const qdrant: Subject = {
  name: 'qdrant',
  everyMs: [700, 4_000],
  calm: { chance: 0.5, strike: on => on.services.qdrant(null) },
  faults: [
    ...answering,
    { name: 'refused connections', strike: on => on.services.qdrant('refused connections') },
  ],
};
