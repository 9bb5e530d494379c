import type { AnswerWith, Fault, IncomingRequest } from '@segue/stand-ins/faults.ts';

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
} as const satisfies Record<string, Fault>;

/** The same of Qdrant. */
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
} as const satisfies Record<string, Fault>;

/** What TIDAL may do: answer nothing, name albums and not their tracks, or hold us to a pace. */
export const tidalFaults = ['internal error', 'no listings', 'rate limit'] as const;

export type InngestFault = keyof typeof inngestFaults;
export type QdrantFault = keyof typeof qdrantFaults;
export type TidalFault = (typeof tidalFaults)[number];

/** Sent with the part of a refused call that goes through, so that it is not looked at again. */
const passHeader = 'x-chaos-pass';

type Event = { data?: { isrc?: string } };

export type RefusalOptions = {
  isRefused: (isrc: string) => boolean;
  /** What befalls the next call; null: nothing. */
  nextFault: () => Fault | null;
  /**
   * How the next refusal is told: `true` as the open-source server does, which has published the events before
   * the bad one and names their ids; `false` as a server that takes a call as a whole or not at all.
   */
  publishesUpToTheBadOne: () => boolean;
};

/**
 * Lets the stand-in for Inngest refuse events of certain recordings for good, besides the faults that it has
 * in any case.
 */
export function refuseEvents(
  inngest: { url: string; answerWith: AnswerWith },
  options: RefusalOptions,
): void {
  const { isRefused, nextFault, publishesUpToTheBadOne } = options;

  inngest.answerWith(async request => {
    if (request.headers[passHeader] !== undefined || request.method !== 'POST') return undefined;
    const fault = nextFault();
    const events = [JSON.parse(request.text())].flat() as Event[];
    const bad = events.findIndex(({ data }) => isRefused(data?.isrc ?? ''));
    if (bad === -1) return fault ?? undefined;
    if (fault !== null && fault !== 'lose-answer') return fault;
    const ids = publishesUpToTheBadOne() && bad > 0 ? await publish(request, events.slice(0, bad)) : [''];
    return fault === null ? { status: 400, body: { ids, status: 400, error: 'event is refused' } } : 'reset';
  });

  async function publish(request: IncomingRequest, events: Event[]): Promise<string[]> {
    const response = await fetch(inngest.url + request.url, {
      method: 'POST',
      headers: { [passHeader]: 'yes' },
      body: JSON.stringify(events),
    });
    return ((await response.json()) as { ids: string[] }).ids;
  }
}
