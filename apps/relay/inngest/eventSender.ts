import type { IngestionEvent } from '@segue/ingestion/event.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { endAfter } from '@segue/process/timeLimit.ts';
import { traceHeaders } from '@segue/telemetry/origin.ts';
import { Inngest } from 'inngest';
import { type Answer, readAnswer } from './answer.ts';
import { type Canary, newCanary } from './canary.ts';
import { post } from './post.ts';

export type SendOptions = {
  /** The call is given up after so many ms. Whether Inngest took the events is then not known. */
  timeoutMs: number;
  /** Ends the call early. */
  signal: AbortSignal;
};

/** Sends events in one call and says what Inngest answered. Never throws. */
export type EventSender = (events: (IngestionEvent | Canary)[], options: SendOptions) => Promise<Answer>;

/**
 * Sends as the Inngest SDK does, to the address and with the headers that it makes of the `INNGEST_…` variables, but without
 * its way of failing: `send` tries anything that throws five times within 1.7 s, knows no time limit, and ends in an
 * error that has lost status, ids and `Retry-After` (SDK 4.24, `Inngest._send`).
 *
 * So the SDK is asked once what it would send where, by a `fetch` that sends nothing. What it would make of each event is
 * the event itself (`eventSender.unit.test.ts` compares the bytes), at 9 us of CPU an event.
 */
export function createEventSender(): EventSender {
  let destination: Promise<Destination> | undefined;
  return async (events, { timeoutMs, signal }) => {
    try {
      destination ??= askSdk();
      const { address, headers } = await destination;
      const body = JSON.stringify(events);
      const reply = await endAfter(
        timeoutMs,
        signal => post(address, { headers: { ...headers, ...traceHeaders() }, body, signal }),
        signal,
      );
      return readAnswer({ ...reply, text: withoutKey(reply.text, address) }, events.length);
    } catch (error) {
      return { kind: 'unavailable', error: reasonOf(error), ...(isBroken(error) && { broken: true }) };
    }
  };
}

/** Where events go. */
type Destination = { address: URL; headers: Record<string, string> };

/** Of one call alone: by it and its place in a call, Inngest names events without an id. Ours have one. */
const seedHeader = 'x-inngest-event-id-seed';

/** @throws what the SDK says of variables that it cannot follow, such as a missing event key */
async function askSdk(): Promise<Destination> {
  let destination: Destination | undefined;
  const client = new Inngest({
    id: 'segue-relay',
    fetch: async (input, init) => {
      const { [seedHeader]: _, ...headers } = Object.fromEntries(new Headers(init?.headers));
      destination = { address: new URL(String(input)), headers };
      return Response.json({ ids: [], status: 200 });
    },
  });
  await client.send(newCanary());
  if (!destination) throw new Error('the SDK made no request');
  return destination;
}

/** Whether the other side closed the connection, and not we, and not a time limit. */
function isBroken(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

/**
 * A server that does not know an address repeats it in its answer, and the event key is the end of ours. Before the answer is
 * cut, since the half of a key would not be found.
 */
function withoutKey(text: string, { pathname }: URL): string {
  const key = pathname.split('/').at(-1);
  return key ? text.replaceAll(key, '…') : text;
}
