import { AsyncLocalStorage } from 'node:async_hooks';
import type { IngestionEvent } from '@segue/ingestion/event.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { endAfter } from '@segue/process/timeLimit.ts';
import { traceHeaders } from '@segue/telemetry/origin.ts';
import { Inngest } from 'inngest';
import { type Answer, readAnswer } from './answer.ts';
import type { Canary } from './canary.ts';
import { post } from './post.ts';

export type SendOptions = {
  /** The call is given up after so many ms. Whether Inngest took the events is then not known. */
  timeoutMs: number;
  /** Ends the call early. */
  signal: AbortSignal;
};

/** Sends events in one call and says what Inngest answered. Never throws. */
export type EventSender = (events: (IngestionEvent | Canary)[], options: SendOptions) => Promise<Answer>;

/** One call's limits, how many events it has, and where its answer is put. */
type Call = SendOptions & { events: number; answer?: Answer };

/**
 * Sends through the Inngest SDK, in the SDK's own format and with its reading of the `INNGEST_…` variables,
 * but without its way of failing: `send` tries anything that throws five times within 1.7 s, knows no time
 * limit, and ends in an error that has lost status, ids and `Retry-After` (SDK 4.24, `Inngest._send`).
 *
 * So the SDK's `fetch` is ours. It makes the one real request, within the time limit, keeps the true answer
 * for us and tells the SDK that all is well: the SDK has nothing to repeat, and no call is made twice.
 */
export function createEventSender(): EventSender {
  const calls = new AsyncLocalStorage<Call>();

  const fetchOnce: typeof fetch = async (input, init) => {
    const call = calls.getStore();
    if (!call) throw new Error('the SDK made a request outside of a send');
    try {
      const address = new URL(String(input));
      const headers = { ...Object.fromEntries(new Headers(init?.headers)), ...traceHeaders() };
      const body = String(init?.body);
      const reply = await endAfter(
        call.timeoutMs,
        signal => post(address, { headers, body, signal }),
        call.signal,
      );
      call.answer = withoutKey(readAnswer(reply, call.events), address);
    } catch (error) {
      call.answer = { kind: 'unavailable', error: reasonOf(error), ...(isBroken(error) && { broken: true }) };
    }
    return Response.json({ ids: [], status: 200 });
  };

  const client = new Inngest({ id: 'segue-relay', fetch: fetchOnce });

  return async (events, options) => {
    const call: Call = { ...options, events: events.length };
    try {
      await calls.run(call, () => client.send(events));
    } catch (error) {
      call.answer ??= { kind: 'unavailable', error: reasonOf(error) };
    }
    return call.answer ?? { kind: 'unavailable', error: 'the SDK made no request' };
  };
}

/** Whether the other side closed the connection, and not we, and not a time limit. */
function isBroken(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

/** A server that does not know an address repeats it in its answer, and the event key is the end of ours. */
function withoutKey(answer: Answer, { pathname }: URL): Answer {
  const key = pathname.split('/').at(-1);
  if (answer.kind === 'accepted' || !key) return answer;
  return { ...answer, error: answer.error.replaceAll(key, '…') };
}
