import type { IngestionEvent } from '@segue/ingestion/event.ts';
import type { Answer } from '../inngest/answer.ts';
import { newCanary, readCanaryAnswer } from '../inngest/canary.ts';
import { dispatch, inngestLimits } from '../inngest/dispatch.ts';
import type { EventSender } from '../inngest/eventSender.ts';
import type { Sending } from './decide.ts';
import { eventOf, sizeBound, sizeOf } from './event.ts';

export type Sent = {
  /** The outage that stopped it. */
  outage?: Extract<Answer, { kind: 'unavailable' }>;
  /** Some are undecided since the batch has had all its calls. */
  outOfCalls: boolean;
  /** Whether Inngest has accepted, or refused, anything: it is there. */
  answered: boolean;
};

export type SendDependencies = {
  sender: EventSender;
  /** Whether a call may begin now. */
  mayCall: () => boolean;
  /** Aborted: the call under way is given up. */
  givingUp: AbortSignal;
  /** Called for each call that was not accepted. */
  onFailedCall: (error: string, durationMs: number) => void;
};

/** One call may take so long. */
const longestCallMs = 8_000;

/** A refusal names the bytes of an event that is larger: Inngest's plans take 256 KiB, 512 KiB or 3 MiB. */
const remarkableBytes = 200 * 1024;

/**
 * Sends one event for each undecided sending, all in one call unless the limits of Inngest or a refused event forbid it,
 * and notes what Inngest answered. What stays undecided is to be sent again under the same id, without an attempt being
 * counted.
 */
export async function send(
  sendings: Sending[],
  { sender, mayCall, givingUp, onFailedCall }: SendDependencies,
): Promise<Sent> {
  // Those that were refused before come last: where they use up the calls, they keep nobody else waiting.
  const undecided = sendings
    .filter(({ outcome }) => outcome.as === 'undecided')
    .sort((one, other) => one.lead.attempts - other.lead.attempts);
  const events = undecided.map(({ lead, generation }) => eventOf(lead, generation));
  const call = async <Read extends Answer>(
    calledWith: Parameters<EventSender>[0],
    read: (answer: Answer) => Read,
  ): Promise<Read | null> => {
    if (!mayCall()) return null;
    const began = performance.now();
    const answer = read(await sender(calledWith, { timeoutMs: longestCallMs, signal: givingUp }));
    if (answer.kind !== 'accepted') onFailedCall(answer.error, performance.now() - began);
    return answer;
  };
  const result = await dispatch(
    undecided.map(({ lead }) => sizeBound(lead)),
    inngestLimits,
    {
      post: (start, end) => call(events.slice(start, end), answer => answer),
      canary: () => call([newCanary()], readCanaryAnswer),
    },
  );
  for (const index of result.accepted) (undecided[index] as Sending).outcome = { as: 'sent' };
  for (const { index, error } of result.refused) {
    (undecided[index] as Sending).outcome = {
      as: 'refused',
      error: withSize(error, events[index] as IngestionEvent),
    };
  }
  return {
    ...(result.outage ? { outage: result.outage } : {}),
    outOfCalls: result.outOfCalls === true,
    answered: result.accepted.length > 0 || result.refused.length > 0,
  };
}

function withSize(error: string, event: IngestionEvent): string {
  const bytes = sizeOf(event);
  return bytes > remarkableBytes ? `${error} (the event has ${bytes} bytes)` : error;
}
