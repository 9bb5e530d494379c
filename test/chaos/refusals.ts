import type { AnswerWith, Fault, IncomingRequest } from '@segue/stand-ins/faults.ts';

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
